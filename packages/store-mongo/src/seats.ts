import { type ConversationView, type EventRecord, isVisible, visibleHead } from "@chat21/engine";
import { limits, systemUser } from "@chat21/protocol";
import type { mongo } from "mongoose";
import type { Activity } from "./activity.ts";
import { chunksOf } from "./chunks-of.ts";
import { toMemberState } from "./conversation-reads.ts";
import type { Database } from "./database.ts";
import type { EventDocument, EventKey, MemberDocument } from "./documents.ts";
import { toEventRecord } from "./event-codec.ts";
import { inParallel } from "./in-parallel.ts";
import { conversationName } from "./key-names.ts";
import { createMessageReads } from "./message-reads.ts";
import { clip } from "./spans.ts";

type Session = mongo.ClientSession;

/** A user's place in a conversation. */
export interface Seat {
  readonly member: MemberDocument;
  readonly conversation: Activity;
}

/** A seat and the newest message that a list may show of it. */
export interface Place extends Seat {
  readonly last: { readonly seq: number; readonly timestamp: number } | null;
}

/** Conversations whose last listed message one query looks for. */
const searchesPerQuery = 50;

/** Up to so many numbers of a conversation are named to the server; more are counted by the index of senders. */
const fewNumbers = 16;

const keysPerQuery = 2_000;

const light = { timestamp: 1, listed: 1, hiddenFor: 1 } as const;

type LightEvent = Pick<EventDocument, "_id" | "hiddenFor" | "listed" | "timestamp">;

const seatName = ({ conversation, member }: Seat) =>
  `${conversationName(conversation._id)}\n${member.account.user}`;

function viewerOf({ member }: Seat) {
  return { user: member.account.user, intervals: member.intervals };
}

/** Whether the rules of `view/` let the list show it. */
function isShown(seat: Seat, { _id, hiddenFor, listed }: LightEvent): boolean {
  return listed && isVisible({ seq: _id.seq, hiddenFor: hiddenFor ?? null }, viewerOf(seat));
}

/** Numbers from after `after` up to `to` that the member sees, without those up to which no event is listed. */
function spansOf({ member, conversation }: Seat, after: number, to: number = conversation.head) {
  const floor = Math.max(after, conversation.unlistedTo ?? 0);
  return clip(member.intervals, floor + 1, to);
}

function keysOf({ conversation: { _id } }: Seat, from: number, to: number): EventKey[] {
  return Array.from({ length: to - from + 1 }, (_, index) => ({ ..._id, seq: from + index }));
}

/** Events that count as unread for a user who sees their numbers: `countsAsUnread`, pushed down. */
function unreadBy(user: string) {
  return { sender: { $nin: [user, systemUser] }, listed: true, hiddenFor: { $ne: user } };
}

/** Reads of seats, many at once; all inside the caller's snapshot. */
export type SeatReads = ReturnType<typeof createSeatReads>;

/** Reads what lists and sync show of seats: last messages, unread counts, counterparts. */
export function createSeatReads(database: Database) {
  const { events, members } = database.collections;
  const maxTimeMS = database.queryTimeoutMs;
  const bodies = createMessageReads(database);

  async function readLight(ids: readonly EventKey[], session: Session): Promise<LightEvent[]> {
    const found: LightEvent[] = [];
    for (const chunk of chunksOf(ids, keysPerQuery)) {
      const _id = { $in: chunk };
      const options = { session, maxTimeMS, projection: light, batchSize: keysPerQuery };
      found.push(...(await events.find({ _id }, options).toArray()));
    }
    return found;
  }

  /** By {@link seatName}. Looks for the newest shown event of each span; one query holds many looks. */
  async function findLast(
    seats: readonly Seat[],
    session: Session,
  ): Promise<ReadonlyMap<string, LightEvent>> {
    const looks = seats.flatMap((seat) =>
      spansOf(seat, 0).map(([from, to]) => [
        {
          $match: {
            _id: {
              $gte: { ...seat.conversation._id, seq: from },
              $lte: { ...seat.conversation._id, seq: to },
            },
            listed: true,
            hiddenFor: { $ne: seat.member.account.user },
          },
        },
        { $sort: { _id: -1 } },
        { $limit: 1 },
        { $project: { ...light, user: { $literal: seat.member.account.user } } },
      ]),
    );
    const pages = await inParallel(chunksOf(looks, searchesPerQuery), ([first = [], ...others]) => {
      const coll = events.collectionName;
      const more = others.map((pipeline) => ({ $unionWith: { coll, pipeline } }));
      return events
        .aggregate<LightEvent & { readonly user: string }>([...first, ...more], { session, maxTimeMS })
        .toArray();
    });
    const newest = new Map<string, LightEvent>();
    for (const event of pages.flat()) {
      const name = `${conversationName(event._id)}\n${event.user}`;
      const known = newest.get(name);
      if (known === undefined || known._id.seq < event._id.seq) newest.set(name, event);
    }
    return newest;
  }

  /** The index of senders skips messages of the user and the system, even a million notices of a bot. */
  async function countMany(seat: Seat, session: Session): Promise<number> {
    const { app, conversation } = seat.conversation._id;
    const { user } = seat.member.account;
    let unread = 0;
    for (const [from, to] of spansOf(seat, seat.member.read)) {
      const limit = limits.unreadMax - unread;
      if (limit <= 0) break;
      const filter = {
        "_id.app": app,
        "_id.conversation": conversation,
        "_id.seq": { $gte: from, $lte: to },
        ...unreadBy(user),
      };
      unread += await events.countDocuments(filter, { session, maxTimeMS, limit, hint: "senders" });
    }
    return unread;
  }

  /** By name; counted by the server, because a thousand small documents cost more on their way here than their reading. */
  async function countFew(places: readonly Place[], session: Session): Promise<ReadonlyMap<string, number>> {
    const counts = new Map(places.map(({ conversation }) => [conversationName(conversation._id), 0]));
    const [first] = places;
    if (first === undefined) return counts;
    const { app, user } = first.member.account;
    // Nothing is listed behind the last one, however many events follow it.
    const keys = places.flatMap((place) =>
      spansOf(place, place.member.read, place.last?.seq ?? 0).flatMap(([from, to]) =>
        keysOf(place, from, to),
      ),
    );
    for (const chunk of chunksOf(keys, keysPerQuery)) {
      const found = await events
        .aggregate<{ readonly _id: string; readonly unread: number }>(
          [
            { $match: { _id: { $in: chunk }, ...unreadBy(user) } },
            { $group: { _id: "$_id.conversation", unread: { $sum: 1 } } },
          ],
          { session, maxTimeMS },
        )
        .toArray();
      for (const { _id: conversation, unread } of found) {
        const name = conversationName({ app, conversation });
        counts.set(name, (counts.get(name) ?? 0) + unread);
      }
    }
    return counts;
  }

  /** By name. */
  async function countAll(places: readonly Place[], session: Session): Promise<ReadonlyMap<string, number>> {
    const counts = new Map<string, number>();
    const few: Place[] = [];
    const many: Place[] = [];
    for (const place of places) {
      const numbers = (place.last?.seq ?? 0) - place.member.read;
      if (numbers <= 0) counts.set(conversationName(place.conversation._id), 0);
      else (numbers <= fewNumbers ? few : many).push(place);
    }
    for (const [name, unread] of await countFew(few, session)) counts.set(name, unread);
    const counted = await inParallel(many, (place) => countMany(place, session));
    for (const [index, place] of many.entries())
      counts.set(conversationName(place.conversation._id), counted[index] ?? 0);
    return counts;
  }

  /** The other people in direct conversations, by name; of several the one who was there first. */
  async function counterparts(
    seats: readonly Seat[],
    session: Session,
  ): Promise<ReadonlyMap<string, { readonly delivered: number; readonly read: number }>> {
    const direct = seats.filter(({ conversation }) => conversation.kind === "direct");
    const [first] = direct;
    if (first === undefined) return new Map();
    const keys = direct.map(({ conversation: { _id } }) => _id);
    const found = await members
      .find(
        { conversation: { $in: keys }, "account.user": { $ne: first.member.account.user } },
        {
          ...{ session, maxTimeMS, hint: "ordinal", batchSize: keysPerQuery },
          projection: { delivered: 1, read: 1, ordinal: 1 },
        },
      )
      .toArray();
    found.sort((a, b) => b.ordinal - a.ordinal);
    return new Map(found.map(({ _id, delivered, read }) => [conversationName(_id), { delivered, read }]));
  }

  return {
    /**
     * Mostly a conversation's last event is also the last one that its members see: one query reads those, a few read
     * the rest. The seats may be those of several users.
     */
    async places(seats: readonly Seat[], session: Session): Promise<Place[]> {
      const conversations = new Map(
        seats.map(({ conversation }) => [conversationName(conversation._id), conversation]),
      );
      const heads = [...conversations.values()].map(({ _id, head }) => ({ ..._id, seq: head }));
      const atHead = new Map(
        (await readLight(heads, session)).map((event) => [conversationName(event._id), event]),
      );
      const isSettled = (seat: Seat) => {
        const event = atHead.get(conversationName(seat.conversation._id));
        return event !== undefined && isShown(seat, event);
      };
      const rest = seats.filter((seat) => !isSettled(seat));
      const found = await findLast(rest, session);
      return seats.map((seat) => {
        const event = isSettled(seat)
          ? atHead.get(conversationName(seat.conversation._id))
          : found.get(seatName(seat));
        return {
          ...seat,
          last: event === undefined ? null : { seq: event._id.seq, timestamp: event.timestamp },
        };
      });
    },
    /** The last messages themselves, by name; `known` are at hand already. `forList`: long texts are cut. */
    async lastOf(
      places: readonly Place[],
      {
        known = [],
        forList = false,
      }: { readonly known?: readonly EventRecord[]; readonly forList?: boolean },
      session: Session,
    ): Promise<Map<string, EventRecord>> {
      const at = ({ app, conversation, seq }: EventKey) => `${app}\n${conversation}\n${seq}`;
      const read = new Map(known.map((event) => [at(event), event]));
      const ids = places.flatMap(({ conversation: { _id }, last }) =>
        last === null || read.has(at({ ..._id, seq: last.seq })) ? [] : [{ ..._id, seq: last.seq }],
      );
      for (const event of await (forList ? bodies.readForList : bodies.read)(ids, session))
        read.set(at(event._id), toEventRecord(event));
      const found = new Map<string, EventRecord>();
      for (const {
        conversation: { _id },
        last,
      } of places) {
        const event = last === null ? undefined : read.get(at({ ..._id, seq: last.seq }));
        if (event !== undefined) found.set(conversationName(_id), event);
      }
      return found;
    },
    /** In order. `unread` are numbers that are known already, by name. */
    async views(
      places: readonly Place[],
      last: ReadonlyMap<string, EventRecord>,
      unread: ReadonlyMap<string, number>,
      session: Session,
    ): Promise<ConversationView[]> {
      const uncounted = places.filter(({ conversation: { _id } }) => !unread.has(conversationName(_id)));
      const [counts, others] = await Promise.all([
        countAll(uncounted, session),
        counterparts(places, session),
      ]);
      return places.map(({ member, conversation: { _id, kind, head } }) => {
        const name = conversationName(_id);
        return {
          app: _id.app,
          conversation: _id.conversation,
          kind,
          head: visibleHead(member.intervals, head),
          state: toMemberState(member),
          last: last.get(name) ?? null,
          unread: unread.get(name) ?? counts.get(name) ?? 0,
          counterpart: others.get(name) ?? null,
        };
      });
    },
  };
}
