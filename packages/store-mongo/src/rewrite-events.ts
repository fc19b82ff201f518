import type { EventLog } from "@chat21/engine";
import { chunksOf } from "./chunks-of.ts";
import type { Database } from "./database.ts";

/** Bodies of one write. */
const bodiesPerWrite = 500;

/** `EventLog.rewrite`. */
export function createRewrite(database: Database): EventLog["rewrite"] {
  const { events } = database.collections;
  return (app, conversation, bodies) =>
    database.call(async () => {
      let replaced = 0;
      for (const chunk of chunksOf(bodies, bodiesPerWrite)) {
        const written = await events.bulkWrite(
          chunk.map(({ seq, body }) => ({
            updateOne: {
              filter: { _id: { app, conversation, seq }, erased: { $ne: true } },
              update: { $set: { body } },
            },
          })),
          { ordered: false },
        );
        replaced += written.matchedCount;
      }
      return replaced;
    });
}
