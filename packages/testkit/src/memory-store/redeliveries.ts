import type { RedeliveryLog } from "@chat21/engine";
import { keyOf, type MemoryDisk } from "./disk.ts";
import type { Gated } from "./gate.ts";

const maxEvents = 1_000;

/**
 * Dispatched events that another process acknowledges. They are remembered as long as the disk lasts: the port asks for
 * at least a minute, and tests have no clock here.
 */
export function createMemoryRedeliveries(disk: MemoryDisk, { write, read }: Gated): RedeliveryLog {
  return {
    markRedispatched: (refs) =>
      write("redeliveries.markRedispatched", () => {
        for (const { app, conversation, seq } of refs) {
          const key = keyOf(app, conversation, seq);
          if (disk.undispatched.delete(key)) disk.redispatched.add(key);
        }
      }),
    markUnacknowledged: (refs) =>
      write("redeliveries.markUnacknowledged", () => {
        for (const { app, conversation, seq } of refs) {
          const key = keyOf(app, conversation, seq);
          disk.undispatched.delete(key);
          disk.redispatched.add(key);
        }
      }),
    unacknowledged: (app, conversation) =>
      read("redeliveries.unacknowledged", () => {
        const events = disk.conversations.get(keyOf(app, conversation))?.events ?? [];
        return events
          .filter(({ seq }) => {
            const key = keyOf(app, conversation, seq);
            return disk.undispatched.has(key) || disk.redispatched.has(key);
          })
          .slice(0, maxEvents);
      }),
  };
}
