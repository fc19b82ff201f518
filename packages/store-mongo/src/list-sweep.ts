import type { mongo } from "mongoose";
import mongoose from "mongoose";
import type { AccountKey, ConversationDocument, ConversationKey, MemberDocument } from "./documents.ts";
import { lookBack, settles } from "./head-sweep.ts";
import { withTrueHeads } from "./heads.ts";
import { accountName, conversationName } from "./key-names.ts";
import { listsSweptUpTo, maxPlacedMembers } from "./list-places.ts";
import { type Ticks, toTicks, toTimestamp } from "./logical-time.ts";
import { createSweep, type Sweep, type SweepParts } from "./repeated-sweep.ts";
import type { Place, SeatReads } from "./seats.ts";

const { MaxKey } = mongoose.mongo;

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

/** A place that was read later stays. The condition is not in the filter: by the key alone the server needs no plan. */
function toWrite(
  _id: MemberDocument["_id"],
  place: object,
  asOf: mongo.Timestamp,
): mongo.AnyBulkWriteOperation<MemberDocument> {
  const listed = { $cond: [{ $gte: ["$listed.asOf", asOf] }, "$listed", { ...place, asOf }] };
  return { updateOne: { filter: { _id }, update: [{ $set: { listed } }] } };
}

function toUpdate({ member, last }: Place, asOf: mongo.Timestamp) {
  const { seq = 0, timestamp: at = 0 } = last ?? {};
  // By the archive of the moment of the write.
  const returned = { $cond: [{ $gte: ["$archivedAt", 0] }, { $gt: [seq, "$archivedAt"] }, "$$REMOVE"] };
  return toWrite(member._id, { at, seq, returned }, asOf);
}

const isSmall = ({ memberCount }: Stamped) => memberCount <= maxPlacedMembers;

/** Whether the place is to be written. In a group that has outgrown the limit it is taken away once. */
function isDue({ listed }: MemberDocument, conversation: Stamped): boolean {
  if (listed === undefined) return true;
  return isSmall(conversation) ? listed.asOf.lessThan(conversation.changedAt) : listed.at !== undefined;
}

/**
 * Brings members' places in lists after their conversations' stamps: one living process at a time reads the conversations
 * that were stamped since the last look, once the stamps are old enough to speak for their events. Users who begin to have
 * places get all of theirs. ADR 0019.
 */
export function createListSweep(parts: SweepParts & { readonly seats: SeatReads }): Sweep {
  const { database, seats } = parts;
  const { conversations, counters, listReaders, members } = database.collections;
  const maxTimeMS = database.queryTimeoutMs;
  /** Stamps of the last look: a look begins before the end of the last one. */
  let looked: ReadonlyMap<string, Ticks> = new Map();

  /** Those of users who have places. */
  async function ofReaders(found: readonly MemberDocument[]): Promise<MemberDocument[]> {
    const accounts = new Map(found.map(({ account }) => [accountName(account), account]));
    const asked = { _id: { $in: [...accounts.values()] } };
    const readers = await listReaders.find(asked, { maxTimeMS, projection: { _id: 1 } }).toArray();
    const names = new Set(readers.map(({ _id }) => accountName(_id)));
    return found.filter(({ account }) => names.has(accountName(account)));
  }

  /** Writes the places of these members that are behind the stamps of their conversations. */
  async function place(found: readonly MemberDocument[], stamped: readonly Stamped[]): Promise<void> {
    const byName = new Map(stamped.map((document) => [conversationName(document._id), document]));
    const conversationOf = (member: MemberDocument) => byName.get(conversationName(member.conversation));
    const due = found.filter((member) => {
      const conversation = conversationOf(member);
      return conversation !== undefined && isDue(member, conversation);
    });
    if (due.length === 0) return;
    const stampOf = (member: MemberDocument) => conversationOf(member)?.changedAt as mongo.Timestamp;
    const names = new Set(due.map(({ conversation }) => conversationName(conversation)));
    const small = stamped.filter(
      (document) => isSmall(document) && names.has(conversationName(document._id)),
    );
    const places = await database.snapshot(async (session) => {
      const current = await withTrueHeads(database, small, session);
      const trueOnes = new Map(current.map((document) => [conversationName(document._id), document]));
      const taken = due.flatMap((member) => {
        const conversation = trueOnes.get(conversationName(member.conversation));
        return conversation === undefined ? [] : [{ member, conversation }];
      });
      return seats.places(taken, session);
    });
    const placed = new Set(places.map(({ member }) => member));
    await members.bulkWrite(
      [
        ...places.map((one) => toUpdate(one, stampOf(one.member))),
        ...due
          .filter((member) => !placed.has(member))
          .map((member) => toWrite(member._id, {}, stampOf(member))),
      ],
      { ordered: false },
    );
  }

  async function bringAfter(stamped: readonly Stamped[]): Promise<void> {
    if (stamped.length === 0) return;
    const found = await members
      .find(
        { conversation: { $in: stamped.map(({ _id }) => _id) }, ordinal: { $lte: maxPlacedMembers } },
        { maxTimeMS, hint: "ordinal", batchSize: 10_000 },
      )
      .toArray();
    await place(await ofReaders(found), stamped);
  }

  /**
   * All conversations of a user who has no places yet, but those that were stamped after `upTo`: the next sweep comes to
   * them. Answers whether it went to the end.
   */
  async function placeAll(account: AccountKey, upTo: Ticks, goOn: () => Promise<boolean>): Promise<boolean> {
    const stamp = toTimestamp(upTo);
    let after: ConversationKey = { app: account.app, conversation: "" };
    for (;;) {
      const page = await members
        .find({ account, conversation: { $gt: after } }, { maxTimeMS, hint: "account" })
        .sort({ conversation: 1 })
        .limit(pageSize)
        .toArray();
      const keys = page.map(({ conversation }) => conversation);
      const found = await conversations.find({ _id: { $in: keys } }, { projection, maxTimeMS }).toArray();
      await place(
        page.filter(({ ordinal }) => ordinal <= maxPlacedMembers),
        found.filter((document): document is Stamped => document.changedAt?.lte(stamp) ?? false),
      );
      const last = keys.at(-1);
      if (last === undefined || page.length < pageSize) return true;
      after = last;
      if (!(await goOn())) return false;
    }
  }

  /** Pages of an app's conversations that were stamped after `from`, up to `upTo`. */
  async function* stampedPages(app: string, from: Ticks, upTo: Ticks): AsyncGenerator<Stamped[]> {
    const keyOf = (changedAt: mongo.Timestamp, conversation: unknown) => ({
      "_id.app": app,
      changedAt,
      "_id.conversation": conversation,
    });
    const end = keyOf(toTimestamp(upTo), new MaxKey());
    let start = keyOf(toTimestamp(from), new MaxKey());
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
    // Before the first sweep nobody has places.
    const from = (swept?.value ?? upTo) - lookBack;
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
    for (const { _id } of await listReaders
      .find({ placed: false }, { maxTimeMS, hint: "placed" })
      .toArray()) {
      if (!(await placeAll(_id, upTo, goOn))) return;
      await listReaders.updateOne({ _id }, { $set: { placed: true } });
    }
  }

  return createSweep(parts, {
    leaseName: "lists/sweep",
    failure: "places in lists were not brought after their logs; trying again",
    run,
  });
}
