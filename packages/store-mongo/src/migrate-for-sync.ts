import type { Collections } from "./collections.ts";
import type { ConversationKey } from "./documents.ts";
import { sweptUpTo } from "./head-sweep.ts";
import { stepsOf } from "./log-steps.ts";
import { ticksPerSecond, toTicks, toTimestamp } from "./logical-time.ts";

/** Longest time of one step of the migration. */
const maxTimeMS = 60_000;

const conversationsPerStep = 1_000;

/** The overlay of messages that older versions erased in place: they did not record who erased them, and when. */
const erasedInPlace = '{"version":0,"deleted":{"by":"system","at":0}}';

async function createIndexes({ conversations, members }: Collections): Promise<void> {
  await conversations.createIndexes([
    { name: "by_name", key: { "_id.app": 1, "_id.conversation": 1 } },
    { name: "changed", key: { "_id.app": 1, changedAt: 1, "_id.conversation": 1 } },
  ]);
  await members.createIndexes([
    { name: "places", key: { account: 1, changedAt: 1, "_id.conversation": 1, archivedAt: 1 } },
  ]);
}

/** Leaves out events of the same name that newer versions write: those have a body. */
async function turnErasedIntoOverlays(collections: Collections): Promise<void> {
  for await (const step of stepsOf(collections, { maxTimeMS })) {
    await collections.events.updateMany(
      { ...step, type: "erased", body: "{}" },
      { $set: { type: "message", overlay: erasedInPlace, erased: true } },
      { hint: "_id_" },
    );
  }
}

/** A stamp of a time in milliseconds; a time in the future counts as now. */
function stampOf(timestamp: number, now: Date) {
  const seconds = Math.floor(Math.min(timestamp, now.getTime()) / 1_000);
  return toTimestamp(seconds * ticksPerSecond);
}

/** Raises heads that dead processes left too low, and stamps conversations with the time of their last event. */
async function stampConversations({ conversations, events }: Collections, now: Date): Promise<void> {
  let after: ConversationKey | undefined;
  for (;;) {
    const page = await conversations
      .find(after === undefined ? {} : { _id: { $gt: after } }, {
        projection: { head: 1, lastTimestamp: 1, changedAt: 1 },
        maxTimeMS,
        hint: "_id_",
      })
      .sort({ _id: 1 })
      .limit(conversationsPerStep)
      .toArray();
    const unstamped = page.filter(({ changedAt }) => changedAt === undefined);
    const next = unstamped.map(({ _id, head }) => ({ ..._id, seq: head + 1 }));
    for (const { _id } of await events
      .find({ _id: { $in: next } }, { projection: { _id: 1 }, maxTimeMS })
      .toArray()) {
      const { app, conversation } = _id;
      const last = await events.findOne(
        { _id: { $gte: _id, $lte: { app, conversation, seq: Number.MAX_SAFE_INTEGER } } },
        { projection: { timestamp: 1 }, sort: { _id: -1 }, maxTimeMS },
      );
      const { timestamp: lastTimestamp = 0 } = last ?? {};
      const raised = { head: last?._id.seq ?? 0, lastTimestamp };
      await conversations.updateOne({ _id: { app, conversation } }, { $max: raised });
    }
    if (unstamped.length > 0) {
      await conversations.bulkWrite(
        unstamped.map(({ _id, lastTimestamp }) => ({
          updateOne: {
            filter: { _id, changedAt: { $exists: false } },
            update: { $set: { changedAt: stampOf(lastTimestamp, now) } },
          },
        })),
      );
    }
    after = page.at(-1)?._id;
    if (page.length < conversationsPerStep || after === undefined) return;
  }
}

/** Prepares the database for sync by change, overlays and kinds of events: ADR 0013. */
export async function prepareForSync(collections: Collections): Promise<void> {
  const clock = [{ $match: { _id: "schema" } }, { $project: { now: "$$NOW" } }];
  const [server] = await collections.schema.aggregate<{ now: Date }>(clock, { maxTimeMS }).toArray();
  const { now = new Date(0) } = server ?? {};
  await createIndexes(collections);
  await turnErasedIntoOverlays(collections);
  await stampConversations(collections, now);
  await collections.counters.updateOne(
    { _id: sweptUpTo },
    { $max: { value: toTicks(stampOf(now.getTime(), now)) } },
    { upsert: true },
  );
}
