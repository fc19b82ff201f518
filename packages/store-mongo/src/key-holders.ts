import { setTimeout as delay } from "node:timers/promises";
import type { EventRecord } from "@chat21/engine";
import { ChatError } from "@chat21/protocol";
import type { Database } from "./database.ts";
import type { EventDocument } from "./documents.ts";
import { idempotencyKeyOf } from "./event-codec.ts";

const visibleAfterMs = 5;
const maxLooks = 400;

/**
 * The event that holds the key of `event`, as of the majority. A rival's event may hold the key on this server before
 * the majority has it; then this waits for it, because an event that might still be undone must not be answered.
 */
export async function keyHolderOf(database: Database, event: EventRecord): Promise<EventDocument | null> {
  const key = idempotencyKeyOf(event);
  if (key === null) return null;
  const { events } = database.collections;
  const options = { maxTimeMS: database.queryTimeoutMs };
  for (let look = 0; look < maxLooks; look += 1) {
    const found = await events.findOne({ key }, options);
    if (found !== null) return found;
    const local = await events.findOne(
      { key },
      { ...options, projection: { _id: 1 }, readConcern: { level: "local" } },
    );
    if (local === null) return null;
    await delay(visibleAfterMs);
  }
  throw new ChatError("store_unavailable", "an event with the same key does not reach the majority");
}
