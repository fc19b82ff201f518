import type { Database } from "./database.ts";
import { toTimestamp } from "./logical-time.ts";

/** A process whose cursor was not written for so long is taken for dead; the living write theirs every second. */
const deadAfterMs = 3_000;

/** Afterwards nothing can come any more that a dead process had sent. */
const forgetAfterMs = 10 * 60_000;

/**
 * Gives marks of their own to the events that dead processes had not dispatched. From then on they are found as every
 * other undispatched event. A process that only slept may have dispatched some of them: these are dispatched twice.
 */
export async function markEventsOfDeadWriters(database: Database): Promise<void> {
  const { events, writers } = database.collections;
  const maxTimeMS = database.queryTimeoutMs;
  const silent = (ms: number) => ({ $expr: { $lt: ["$seenAt", { $subtract: ["$$NOW", ms] }] } });
  const dead = await writers.find(silent(deadAfterMs), { maxTimeMS, hint: "_id_" }).toArray();
  for (const { _id, dispatchedTo, seenAt } of dead) {
    const upTo = toTimestamp(await database.time());
    await events.updateMany({ by: _id, at: { $gt: dispatchedTo } }, [{ $set: { undispatched: "$at" } }], {
      hint: "by_writer",
    });
    await writers.updateOne({ _id, seenAt }, { $max: { dispatchedTo: upTo } });
  }
  if (dead.length > 0) await writers.deleteMany(silent(forgetAfterMs));
}
