import type { ConversationOverlays, OverlayStore } from "@chat21/engine";
import { type DiskConversation, keyOf, type MemoryDisk } from "./disk.ts";
import { amend } from "./event-log.ts";
import type { Gated } from "./gate.ts";

function toOverlays({ app, conversation, events }: DiskConversation): ConversationOverlays {
  const overlays = events.flatMap(({ seq, overlay }) => (overlay === null ? [] : [{ seq, overlay }]));
  return { app, conversation, head: events.length, overlays };
}

/** Maintenance of overlays; conversations come in the order of their creation. */
export function createMemoryOverlays(disk: MemoryDisk, { write, read }: Gated): OverlayStore {
  return {
    amended: (types, limit, after) =>
      read("overlays.amended", () => {
        const keys = [...disk.conversations.keys()];
        const start = after === undefined ? 0 : keys.indexOf(keyOf(after.app, after.conversation)) + 1;
        return [...disk.conversations.values()]
          .slice(start)
          .filter(({ events }) =>
            events.some(({ type, overlay }) => overlay !== null || types.includes(type)),
          )
          .slice(0, limit)
          .map(toOverlays);
      }),
    replace: ({ app, conversation, expectedHead }, overlays) =>
      write("overlays.replace", () => {
        const found = disk.conversations.get(keyOf(app, conversation));
        if (found === undefined || found.events.length !== expectedHead) return false;
        for (const [index, event] of found.events.entries())
          found.events[index] = { ...event, overlay: null };
        for (const amendment of overlays) amend(found, amendment);
        return true;
      }),
  };
}
