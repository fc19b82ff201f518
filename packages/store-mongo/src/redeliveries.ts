import type { EventRef, RedeliveryLog } from "@chat21/engine";
import type { mongo } from "mongoose";
import type { Database } from "./database.ts";
import type { DispatchMarks } from "./dispatch-marks.ts";
import type { EventDocument } from "./documents.ts";
import { toEventRecord } from "./event-codec.ts";
import type { HeadHints } from "./head-hints.ts";

/** How long an event is remembered when another process is to acknowledge its message. */
const memoryMs = 60_000;
/** How often older marks are removed, by the process that sets new ones. */
const forgetEveryMs = 10_000;
const maxEvents = 1_000;
const maxMarks = 1_000;

/** `RedeliveryLog`: a second form of the mark, which sweeps do not see. */
export function createRedeliveries(
  database: Database,
  marks: DispatchMarks,
  hints: HeadHints,
): RedeliveryLog {
  const { events } = database.collections;
  const maxTimeMS = database.queryTimeoutMs;
  let forgetAt = 0;

  async function forgetOld(): Promise<void> {
    if (performance.now() < forgetAt) return;
    forgetAt = performance.now() + forgetEveryMs;
    const old = { $subtract: ["$$NOW", memoryMs] };
    await events.updateMany(
      { redispatched: { $exists: true }, $expr: { $lt: ["$redispatched", old] } },
      { $unset: { redispatched: "" } },
      { hint: "redispatched_of" },
    );
  }

  async function mark(refs: readonly EventRef[], which: mongo.Filter<EventDocument>): Promise<void> {
    await hints.cover(refs.map(({ app, conversation, seq }) => ({ key: { app, conversation }, last: seq })));
    for (let at = 0; at < refs.length; at += maxMarks) {
      const ids = refs
        .slice(at, at + maxMarks)
        .map(({ app, conversation, seq }) => ({ app, conversation, seq }));
      await events.updateMany(
        { ...which, _id: { $in: ids } },
        [{ $set: { redispatched: "$$NOW" } }, { $unset: ["undispatched", "by"] }],
        { hint: "_id_" },
      );
    }
    await forgetOld();
  }

  function find(app: string, conversation: string, hint: string, which: mongo.Filter<EventDocument>) {
    return events
      .find({ ...which, "_id.app": app, "_id.conversation": conversation }, { maxTimeMS, hint })
      .limit(maxEvents)
      .toArray();
  }

  return {
    markRedispatched: (refs) => database.call(() => mark(refs, { undispatched: { $exists: true } })),
    markUnacknowledged: (refs) => database.call(() => mark(refs, {})),
    unacknowledged: (app, conversation) =>
      database.call(async () => {
        await marks.flush();
        const [waiting, redispatched] = await Promise.all([
          find(app, conversation, "undispatched_of", { undispatched: { $exists: true } }),
          find(app, conversation, "redispatched_of", { redispatched: { $exists: true } }),
        ]);
        return [...waiting, ...redispatched]
          .map(toEventRecord)
          .toSorted((a, b) => a.seq - b.seq)
          .slice(0, maxEvents);
      }),
  };
}
