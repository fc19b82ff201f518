import type { mongo } from "mongoose";
import type { ConversationDocument } from "./documents.ts";
import { withTrueHeads } from "./heads.ts";
import { stampNow, ticksPerSecond, toTimestamp } from "./logical-time.ts";
import { createSweep, type Sweep, type SweepParts } from "./repeated-sweep.ts";

/** Name of the counter with the time ({@link Ticks}) up to which documents' heads were compared with their logs. */
export const sweptUpTo = "heads_swept_up_to";

/**
 * Age at which a stamp is looked at. It stands for events up to 2 s younger than itself. By then these are in the log,
 * and, if their process lives, their heads are in the document.
 */
export const settles = 10 * ticksPerSecond;

/** How far before a time readers and sweeps look: a stamp becomes visible a little after the time that it names. */
export const lookBack = 10 * ticksPerSecond;

const pageSize = 1_000;

function toUpdate({
  _id,
  head,
  lastTimestamp,
}: ConversationDocument): mongo.AnyBulkWriteOperation<ConversationDocument> {
  const update = { $max: { head, lastTimestamp }, $currentDate: stampNow } as const;
  return { updateOne: { filter: { _id }, update } };
}

/**
 * The hints that die with a process belong to conversations whose stamp is hardly older than the death. One living
 * process at a time compares the heads of all conversations that were stamped since the last look, and stamps anew
 * those that lag behind their log.
 */
export function createHeadSweep(parts: SweepParts): Sweep {
  const { database, log } = parts;
  const { conversations, counters } = database.collections;
  const maxTimeMS = database.queryTimeoutMs;

  async function raiseLagging(stamped: readonly ConversationDocument[]): Promise<void> {
    const current = await database.snapshot((session) => withTrueHeads(database, stamped, session));
    const lagging = current.filter(({ head }, index) => head > (stamped[index]?.head ?? 0));
    if (lagging.length === 0) return;
    await conversations.bulkWrite(lagging.map(toUpdate), { ordered: false });
    log?.info({ conversations: lagging.length }, "heads were raised that another process had not written");
  }

  async function sweepOnce(): Promise<void> {
    const upTo = (await database.time()) - settles;
    const swept = await counters.findOne({ _id: sweptUpTo }, { maxTimeMS });
    const from = (swept?.value ?? 0) - lookBack;
    const apps: string[] = await conversations.distinct("_id.app", {}, { maxTimeMS });
    const stamped = conversations.find(
      { "_id.app": { $in: apps }, changedAt: { $gt: toTimestamp(from), $lte: toTimestamp(upTo) } },
      { projection: { head: 1, lastTimestamp: 1 }, maxTimeMS, hint: "changed", batchSize: pageSize },
    );
    let page: ConversationDocument[] = [];
    for await (const document of stamped) {
      page.push(document);
      if (page.length < pageSize) continue;
      await raiseLagging(page);
      page = [];
    }
    await raiseLagging(page);
    await counters.updateOne({ _id: sweptUpTo }, { $max: { value: upTo } }, { upsert: true });
  }

  return createSweep(parts, {
    leaseName: "heads/sweep",
    failure: "heads were not compared with their logs; trying again",
    run: sweepOnce,
  });
}
