import {
  type ConversationQuery,
  type ConversationStore,
  type ConversationView,
  isArchived,
  isBehind,
  isInFront,
  isOnList,
} from "@chat21/engine";
import { compareListed } from "@chat21/protocol";
import type { mongo } from "mongoose";
import type { Activity } from "./activity.ts";
import type { ConversationReads } from "./conversation-reads.ts";
import type { Database } from "./database.ts";
import type { MemberDocument } from "./documents.ts";
import type { ListSpan, Shelf } from "./list-shelves.ts";
import type { Memberships } from "./memberships.ts";
import type { Place, SeatReads } from "./seats.ts";

type Session = mongo.ClientSession;

/** A list looks at so many conversations more than it shows, because some are not on it. */
const spare = 10;

/** Conversations of each further look, when the first was not enough. */
const laterChunk = 1_000;

/** Reads that views are built from. */
export interface ViewReads {
  readonly reads: ConversationReads;
  readonly memberships: Memberships;
  readonly seats: SeatReads;
}

function placeOf({ conversation, last }: Place): { timestamp: number; conversation: string } {
  return { timestamp: last?.timestamp ?? 0, conversation: conversation._id.conversation };
}

function isAsked(place: Place, { archived, before, after }: ConversationQuery): boolean {
  const item = { state: place.member, last: place.last };
  if (!isOnList(item) || (archived !== null && archived !== isArchived(item))) return false;
  if (before !== undefined && !isBehind(placeOf(place), before)) return false;
  return after === undefined || isInFront(placeOf(place), after);
}

/** Whether the seat's own document says that the list does not show the conversation, whatever its last message is. */
function isElsewhere(
  { member, conversation: { head } }: Omit<Place, "last">,
  archived: boolean | null,
): boolean {
  if (head <= member.clearedAt) return true;
  if (archived === true) return member.archivedAt === null;
  return archived === false && member.archivedAt !== null && head <= member.archivedAt;
}

/** Where the query's places lie, in the order of lists. */
function spansOf({ before, after }: ConversationQuery): readonly ListSpan[] {
  const newest = before?.timestamp ?? Number.POSITIVE_INFINITY;
  const oldest = after?.timestamp ?? 0;
  const behind = before?.conversation === undefined ? {} : { $gt: before.conversation };
  const inFront = after?.conversation === undefined ? {} : { $lt: after.conversation };
  if (newest < oldest) return [];
  if (newest === oldest) return [{ at: newest, conversation: { ...behind, ...inFront } }];
  return [
    ...(before?.conversation === undefined ? [] : [{ at: newest, conversation: behind }]),
    { at: { $gt: oldest, ...(before === undefined ? {} : { $lt: newest }) } },
    ...(after?.conversation === undefined ? [] : [{ at: oldest, conversation: inFront }]),
  ];
}

/** Where a list's conversations stand. An older version's process leaves what it archives among those that returned. */
function shelvesOf(archived: boolean | null): readonly Shelf[] {
  if (archived === true) return ["archived", "returned"];
  return archived === false ? ["never archived", "returned"] : ["never archived", "returned", "archived"];
}

/** Places in the order of lists. */
function inListOrder(places: readonly Place[]): Place[] {
  return places.toSorted((a, b) => compareListed(placeOf(a), placeOf(b)));
}

async function* growingChunks<T>(items: AsyncIterable<T>, first: number, later: number): AsyncGenerator<T[]> {
  let chunk: T[] = [];
  let size = first;
  for await (const item of items) {
    chunk.push(item);
    if (chunk.length < size) continue;
    yield chunk;
    chunk = [];
    size = later;
  }
  if (chunk.length > 0) yield chunk;
}

async function* without(
  names: ReadonlySet<string>,
  seated: AsyncIterable<MemberDocument>,
): AsyncGenerator<MemberDocument> {
  for await (const member of seated) if (!names.has(member._id.conversation)) yield member;
}

/** `ConversationStore.list` and `view`. */
export function createViews(
  database: Database,
  { reads, memberships, seats }: ViewReads,
): Pick<ConversationStore, "list" | "view"> {
  async function placesIn(
    query: ConversationQuery,
    chunk: readonly Activity[],
    session: Session,
  ): Promise<Place[]> {
    const names = chunk.map(({ _id }) => _id.conversation);
    const seated = await memberships.seated({ app: query.app, user: query.user }, names, session);
    const taken = chunk.flatMap((conversation) => {
      const member = seated.get(conversation._id.conversation);
      if (member === undefined || isElsewhere({ member, conversation }, query.archived)) return [];
      return [{ member, conversation }];
    });
    return (await seats.places(taken, session)).filter((place) => isAsked(place, query));
  }

  /** The `limit` first places from the end of the list that is asked for. */
  function firstOf(places: readonly Place[], { limit, from }: ConversationQuery): Place[] {
    const ordered = inListOrder(places);
    return from === "oldest" ? ordered.slice(-limit) : ordered.slice(0, limit);
  }

  /**
   * Conversations are walked from the most recently active one. A conversation's last visible message is never newer than
   * its last event, so a walk for the newest ends when `limit` places are newer than all that may still come. A walk for
   * the oldest goes on to the end of the range: a conversation that was active last may be listed far behind.
   */
  async function placesByActivity(
    query: ConversationQuery,
    active: AsyncIterable<Activity>,
    session: Session,
  ): Promise<Place[]> {
    const { limit, after, from = "newest" } = query;
    const isNewest = from === "newest";
    let found: Place[] = [];
    for await (const chunk of growingChunks(active, isNewest ? limit + spare : laterChunk, laterChunk)) {
      found = firstOf([...found, ...(await placesIn(query, chunk, session))], query);
      const reached = chunk.at(-1)?.lastTimestamp ?? 0;
      if (after !== undefined && reached < after.timestamp) break;
      const weakest = found[limit - 1]?.last?.timestamp;
      if (isNewest && weakest !== undefined && weakest > reached) break;
    }
    return found;
  }

  /** The members' places are exact: a walk ends with the page. */
  async function placesOnShelf(
    query: ConversationQuery,
    shelf: Shelf,
    others: ReadonlySet<string>,
    session: Session,
  ): Promise<Place[]> {
    const { app, archived, limit, from = "newest" } = query;
    const walk = { archived, spans: spansOf(query), from, limit };
    const seated = memberships.inListOrder({ app, user: query.user }, shelf, walk, session);
    const found: Place[] = [];
    for await (const chunk of growingChunks(without(others, seated), limit, laterChunk)) {
      const names = chunk.map(({ _id }) => _id.conversation);
      const active = await memberships.activities(app, names, session);
      const taken = chunk.flatMap((member) => {
        const conversation = active.get(member._id.conversation);
        return conversation === undefined ? [] : [{ member, conversation }];
      });
      const places = await seats.places(taken, session);
      found.push(...places.filter((place) => isAsked(place, query)));
      if (found.length >= limit) break;
    }
    return found;
  }

  /** Most conversations have a place of their own in lists; the others are looked up, and both are merged. */
  async function placesOf(query: ConversationQuery, session: Session): Promise<Place[]> {
    const { app, user, archived } = query;
    const account = { app, user };
    const others = await memberships.toLookUp(account, archived, session);
    if (others === null) {
      const which = { forList: true, archivedOnce: archived === true };
      return placesByActivity(query, memberships.byActivity(account, which, session), session);
    }
    const names = new Set([...others.lagging, ...others.settled]);
    const active = memberships.inActivityOrder(app, others, session);
    const parts = await Promise.all([
      placesByActivity(query, active, session),
      ...shelvesOf(archived).map((shelf) => placesOnShelf(query, shelf, names, session)),
    ]);
    return firstOf(parts.flat(), query);
  }

  async function toViews(
    places: readonly Place[],
    session: Session,
    forList: boolean,
  ): Promise<ConversationView[]> {
    if (places.length === 0) return [];
    const last = await seats.lastOf(places, { forList }, session);
    return seats.views(places, last, new Map(), session);
  }

  return {
    list: (query) =>
      database.call(() =>
        database.snapshot(async (session) => toViews(await placesOf(query, session), session, true)),
      ),
    view: (app, conversation, user) =>
      database.call(() =>
        database.snapshot(async (session) => {
          const seated = await memberships.seated({ app, user }, [conversation], session);
          const member = seated.get(conversation);
          if (member === undefined) return null;
          const [document] = (await reads.documents([{ app, conversation }], session)).values();
          if (document === undefined) return null;
          const places = await seats.places([{ member, conversation: document }], session);
          return (await toViews(places, session, false))[0] ?? null;
        }),
      ),
  };
}
