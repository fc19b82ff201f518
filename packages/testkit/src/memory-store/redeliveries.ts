import type { RedeliveryLog } from "@chat21/engine";
import { keyOf, type MemoryDisk } from "./disk.ts";
import type { Gated } from "./gate.ts";

const maxEvents = 1_000;

/**
 * What was dispatched, and is left to another process to acknowledge. The memory lasts as long as the disk: the port asks
 * for a minute at least, and tests own no clock here.
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
