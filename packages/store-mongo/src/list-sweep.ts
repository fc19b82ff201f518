import type { mongo } from "mongoose";
import mongoose from "mongoose";
import { conversationName } from "./conversation-name.ts";
import type { ConversationDocument, MemberDocument } from "./documents.ts";
import { lookBack, settles } from "./head-sweep.ts";
import { withTrueHeads } from "./heads.ts";
import { type Ticks, toTicks, toTimestamp } from "./logical-time.ts";
import { createSweep, type Sweep, type SweepParts } from "./repeated-sweep.ts";
import type { Place, SeatReads } from "./seats.ts";

const { MaxKey, MinKey } = mongoose.mongo;

/** Name of the counter with the time ({@link Ticks}) up to which members' places in lists follow the log. */
export const listsSweptUpTo = "lists_swept_up_to";

/**
 * Conversations that ever had more members have no places in lists: the places of a group are written again after its
 * messages. Lists look such conversations up, as many as a user has of them.
 */
export const maxPlacedMembers = 20;

const pageSize = 500;

const projection = {
  kind: 1,
  head: 1,
  lastTimestamp: 1,
  memberCount: 1,
  unlistedTo: 1,
  changedAt: 1,
} as const;

type Stamped = ConversationDocument & { readonly changedAt: mongo.Timestamp };

/** Does nothing to a place that was read later. */
function notAfter(asOf: mongo.Timestamp) {
  return { "listed.asOf": { $not: { $gte: asOf } } };
}

function toUpdate(
  { member, last }: Place,
  asOf: mongo.Timestamp,
): mongo.AnyBulkWriteOperation<MemberDocument> {
  const { seq = 0, timestamp: at = 0 } = last ?? {};
  // By the archive of the moment of the write.
  const returned = { $cond: [{ $gte: ["$archivedAt", 0] }, { $gt: [seq, "$archivedAt"] }, "$$REMOVE"] };
  return {
    updateOne: {
      filter: { _id: member._id, ...notAfter(asOf) },
      update: [{ $set: { listed: { at, seq, returned, asOf } } }],
    },
  };
}

/**
 * A conversation has outgrown the limit. Only the first members may have places; all of these are written once, so that a
 * late write of another process finds that it is late.
 */
function toRemoval({ _id, changedAt }: Stamped): mongo.AnyBulkWriteOperation<MemberDocument> {
  return {
    updateMany: {
      filter: {
        conversation: _id,
        ordinal: { $lte: maxPlacedMembers },
        $or: [{ "listed.at": { $exists: true } }, { listed: { $exists: false } }],
      },
      update: { $set: { listed: { asOf: changedAt } } },
      hint: "ordinal",
    },
  };
}

/**
 * Brings members' places in lists after their conversations' stamps: one living process at a time reads the conversations
 * that were stamped since the last look, once the stamps are old enough to speak for their events. The first look goes
 * through all conversations of a database that an older version made. ADR 0019.
 */
export function createListSweep(parts: SweepParts & { readonly seats: SeatReads }): Sweep {
  const { database, seats } = parts;
  const { conversations, counters, members } = database.collections;
  const maxTimeMS = database.queryTimeoutMs;
  /** Stamps of the last look: a look begins before the end of the last one. */
  let looked: ReadonlyMap<string, Ticks> = new Map();

  async function placesOf(small: readonly Stamped[]): Promise<mongo.AnyBulkWriteOperation<MemberDocument>[]> {
    if (small.length === 0) return [];
    return database.snapshot(async (session) => {
      const current = await withTrueHeads(database, small, session);
      const byName = new Map(current.map((document) => [conversationName(document._id), document]));
      const stamps = new Map(small.map(({ _id, changedAt }) => [conversationName(_id), changedAt]));
      const stampOf = ({ conversation }: MemberDocument) =>
        stamps.get(conversationName(conversation)) as mongo.Timestamp;
      const keys = small.map(({ _id }) => _id);
      const found = await members
        .find({ conversation: { $in: keys } }, { session, maxTimeMS, hint: "ordinal", batchSize: 10_000 })
        .toArray();
      const due = found.filter(({ listed }, index) => {
        const stamp = stampOf(found[index] as MemberDocument);
        return listed === undefined || listed.asOf.lessThan(stamp);
      });
      const taken = due.flatMap((member) => {
        const conversation = byName.get(conversationName(member.conversation));
        return conversation === undefined ? [] : [{ member, conversation }];
      });
      const places = await seats.places(taken, session);
      return places.map((place) => toUpdate(place, stampOf(place.member)));
    });
  }

  async function bringAfter(stamped: readonly Stamped[]): Promise<void> {
    const isSmall = ({ memberCount }: Stamped) => memberCount <= maxPlacedMembers;
    const updates = [
      ...(await placesOf(stamped.filter(isSmall))),
      ...stamped.filter((document) => !isSmall(document)).map(toRemoval),
    ];
    if (updates.length > 0) await members.bulkWrite(updates, { ordered: false });
  }

  /** Pages of an app's conversations that were stamped after `from`, up to `upTo`. */
  async function* stampedPages(app: string, from: Ticks, upTo: Ticks): AsyncGenerator<Stamped[]> {
    const keyOf = (changedAt: mongo.Timestamp, conversation: unknown) => ({
      "_id.app": app,
      changedAt,
      "_id.conversation": conversation,
    });
    const end = keyOf(toTimestamp(upTo), new MaxKey());
    let start = keyOf(toTimestamp(from), from <= 0 ? new MinKey() : new MaxKey());
    for (;;) {
      const found = await conversations
        .find({}, { projection, maxTimeMS, hint: "changed", batchSize: pageSize + 1 })
        .min(start as never)
        .max(end as never)
        .limit(pageSize + 1)
        .toArray();
      const page = found as Stamped[];
      // The beginning is included: it is the one behind the page before.
      const next = page.length > pageSize ? page.pop() : undefined;
      yield page;
      if (next === undefined) return;
      start = keyOf(next.changedAt, next._id.conversation);
    }
  }

  async function run(goOn: () => Promise<boolean>): Promise<void> {
    const upTo = (await database.time()) - settles;
    const swept = await counters.findOne({ _id: listsSweptUpTo }, { maxTimeMS });
    const from = (swept?.value ?? 0) - lookBack;
    const apps: string[] = await conversations.distinct("_id.app", {}, { maxTimeMS });
    const seen = new Map<string, Ticks>();
    for (const app of apps) {
      for await (const page of stampedPages(app, from, upTo)) {
        const fresh = page.filter(
          ({ _id, changedAt }) => looked.get(conversationName(_id)) !== toTicks(changedAt),
        );
        await bringAfter(fresh);
        for (const { _id, changedAt } of page) {
          const at = toTicks(changedAt);
          // The next look begins there.
          if (at > upTo - lookBack) seen.set(conversationName(_id), at);
        }
        if (!(await goOn())) return;
      }
    }
    await counters.updateOne({ _id: listsSweptUpTo }, { $max: { value: upTo } }, { upsert: true });
    looked = seen;
  }

  return createSweep(parts, {
    leaseName: "lists/sweep",
    failure: "places in lists were not brought after their logs; trying again",
    run,
  });
}
