import type { ConversationQuery, ConversationStore, ConversationView, EventRecord } from "@chat21/engine";
import { systemUser } from "@chat21/protocol";
import type { mongo } from "mongoose";
import { type ConversationReads, toConversationRecord, toMemberState } from "./conversation-reads.ts";
import type { Database } from "./database.ts";
import type { ConversationDocument, EventDocument, MemberDocument } from "./documents.ts";
import { toEventRecord } from "./event-codec.ts";
import { inParallel } from "./in-parallel.ts";
import { clip } from "./spans.ts";

/** How many unread messages are counted, at most. */
const maxUnread = 1_000;

/** A list looks at so many conversations at once, and at least. */
const minPage = 50;

/** A user's seat in a conversation, and the newest message its list may show. */
interface Seat {
  readonly member: MemberDocument;
  readonly conversation: ConversationDocument;
  readonly last: EventRecord | null;
}

type Place = Omit<Seat, "last">;

const nameOf = ({ app, conversation }: { app: string; conversation: string }) => `${app}\n${conversation}`;

/** Events of a stretch that a list may show to the member. */
function shownTo({ member, conversation }: Place, from: number, to: number): mongo.Filter<EventDocument> {
  const { _id } = conversation;
  return {
    _id: { $gte: { ..._id, seq: from }, $lte: { ..._id, seq: to } },
    listed: true,
    hiddenFor: { $ne: member.account.user },
  };
}

function spansOf({ member, conversation }: Place, after: number): (readonly [number, number])[] {
  const floor = Math.max(after, conversation.unlistedTo ?? 0);
  return clip(member.intervals, floor + 1, conversation.head);
}

function isVisibleHead({ member, conversation }: Place, event: EventDocument): boolean {
  if (!event.listed || event.hiddenFor === member.account.user) return false;
  return spansOf({ member, conversation }, 0).some(
    ([from, to]) => from <= event._id.seq && event._id.seq <= to,
  );
}

function isAsked({ last, member }: Seat, query: ConversationQuery): boolean {
  if (last === null || last.seq <= member.clearedAt) return false;
  const archived = member.archivedAt !== null && last.seq <= member.archivedAt;
  if (query.archived !== null && query.archived !== archived) return false;
  if (query.before !== undefined && last.timestamp >= query.before) return false;
  return query.after === undefined || last.timestamp > query.after;
}

function byNewest(a: Seat, b: Seat): number {
  const newest = (b.last?.timestamp ?? 0) - (a.last?.timestamp ?? 0);
  return newest || (a.conversation._id.conversation < b.conversation._id.conversation ? -1 : 1);
}

function createSeatReads({ collections, queryTimeoutMs: maxTimeMS }: Database) {
  const { events } = collections;

  async function findLast(place: Place, session: mongo.ClientSession): Promise<EventRecord | null> {
    for (const [from, to] of spansOf(place, 0).reverse()) {
      const options = { session, maxTimeMS, sort: { _id: -1 } } as const;
      const found = await events.findOne(shownTo(place, from, to), options);
      if (found !== null) return toEventRecord(found);
    }
    return null;
  }

  return {
    /** Mostly a conversation's last event is what its members see last: one query for those, one each for the rest. */
    async seats(places: readonly Place[], session: mongo.ClientSession): Promise<Seat[]> {
      const heads = places.map(({ conversation: { _id, head } }) => ({ ..._id, seq: head }));
      const found = await events.find({ _id: { $in: heads } }, { session, maxTimeMS }).toArray();
      const atHead = new Map(found.map((event) => [nameOf(event._id), event]));
      return inParallel(places, async (place) => {
        const event = atHead.get(nameOf(place.conversation._id));
        const isLast = event !== undefined && isVisibleHead(place, event);
        return { ...place, last: isLast ? toEventRecord(event) : await findLast(place, session) };
      });
    },
    async countUnread(seat: Seat, session: mongo.ClientSession): Promise<number> {
      const { member, last } = seat;
      if (last === null || last.seq <= member.read) return 0;
      let unread = 0;
      const { app, conversation } = seat.conversation._id;
      for (const [from, to] of spansOf(seat, member.read)) {
        // By this index what the user or the system wrote is jumped over, be it a million notices of a bot that reads nothing.
        const filter = {
          "_id.app": app,
          "_id.conversation": conversation,
          "_id.seq": { $gte: from, $lte: to },
          sender: { $nin: [member.account.user, systemUser] },
          listed: true,
          hiddenFor: { $ne: member.account.user },
        };
        const limit = maxUnread - unread;
        const options = { session, maxTimeMS, limit, hint: "senders" };
        if (limit > 0) unread += await events.countDocuments(filter, options);
      }
      return unread;
    },
  };
}

/** `ConversationStore.list` and `view`. */
export function createViews(
  database: Database,
  reads: ConversationReads,
): Pick<ConversationStore, "list" | "view"> {
  const seatReads = createSeatReads(database);

  async function toViews(seats: readonly Seat[], session: mongo.ClientSession): Promise<ConversationView[]> {
    const keys = seats.map(({ conversation }) => conversation._id);
    const seated = await reads.members(keys, session);
    return inParallel(seats, async (seat) => {
      const { conversation, member, last } = seat;
      const members = seated.get(nameOf(conversation._id)) ?? [];
      const other = members.find(({ account }) => account.user !== member.account.user);
      const counterpart = conversation.kind === "direct" ? other : undefined;
      return {
        record: toConversationRecord(conversation, members),
        state: toMemberState(member),
        last,
        unread: await seatReads.countUnread(seat, session),
        counterpart:
          counterpart === undefined ? null : { delivered: counterpart.delivered, read: counterpart.read },
      };
    });
  }

  /**
   * The user's conversations are walked from the most recently active one. A conversation's last visible message is
   * never newer than its last event, so the walk ends when `limit` seats are newer than all that may still come.
   */
  async function newestSeats(query: ConversationQuery, session: mongo.ClientSession): Promise<Seat[]> {
    const { app, user, archived, limit, after = -1 } = query;
    const places = (await reads.ofUser(app, user, session)).filter(
      ({ member, conversation }) =>
        conversation.lastTimestamp > after && (archived !== true || member.archivedAt !== null),
    );
    const size = Math.max(minPage, limit);
    let newest: Seat[] = [];
    for (let at = 0; at < places.length; at += size) {
      const weakest = newest[limit - 1]?.last?.timestamp;
      if (weakest !== undefined && (places[at]?.conversation.lastTimestamp ?? 0) < weakest) break;
      const page = await seatReads.seats(places.slice(at, at + size), session);
      newest = [...newest, ...page.filter((seat) => isAsked(seat, query))].sort(byNewest).slice(0, limit);
    }
    return newest;
  }

  return {
    list: (query) =>
      database.call(() =>
        database.snapshot(async (session) => toViews(await newestSeats(query, session), session)),
      ),
    view: (app, conversation, user) =>
      database.call(() =>
        database.snapshot(async (session) => {
          const key = { app, conversation };
          const member = await database.collections.members.findOne(
            { _id: { ...key, user } },
            { session, maxTimeMS: database.queryTimeoutMs },
          );
          if (member === null) return null;
          const document = (await reads.documents([key], session)).get(nameOf(key));
          if (document === undefined) return null;
          const seats = await seatReads.seats([{ member, conversation: document }], session);
          return (await toViews(seats, session))[0] ?? null;
        }),
      ),
  };
}
