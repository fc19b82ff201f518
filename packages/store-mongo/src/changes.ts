import { randomInt } from "node:crypto";
import {
  type ChangedConversation,
  type ChangeQuery,
  type Changes,
  type ConversationStore,
  countUnread,
  visibleHead,
} from "@chat21/engine";
import type { mongo } from "mongoose";
import { createChangeCandidates, isBelow } from "./change-candidates.ts";
import {
  type ChangeCursor,
  decodeCursor,
  encodeCursor,
  nameIn,
  restoreTold,
  roomFor,
  type Told,
  tieOf,
} from "./change-cursor.ts";
import { createChangeEvents, type Gathered, type Wanted } from "./change-events.ts";
import type { Database } from "./database.ts";
import type { AccountKey } from "./documents.ts";
import type { HeadHints } from "./head-hints.ts";
import { lookBack } from "./head-sweep.ts";
import { conversationName } from "./key-names.ts";
import { type Ticks, toTicks } from "./logical-time.ts";
import type { Place, Seat } from "./seats.ts";
import type { Stamped } from "./stamps.ts";
import type { ViewReads } from "./views.ts";
import { WalkMemory } from "./walk-memory.ts";

type Session = mongo.ClientSession;

/** Conversations whose events and last messages are read together. */
const chunkSize = 256;
/** Of those that the page has no room for, few are read. */
const minChunkSize = 16;

const walkIds = 2 ** 32;

const ticksOf = (time: mongo.Timestamp | undefined) => (time === undefined ? 0 : toTicks(time));

function toldOf({ member, conversation }: Seat): Told {
  return { head: visibleHead(member.intervals, conversation.head), changes: member.changes ?? 0 };
}

/** One answer in the making. */
interface Page {
  readonly conversations: ChangedConversation[];
  /** By conversation. */
  readonly told: Map<string, Told>;
  /** Characters that are left of the query's limit. */
  characters: number;
}

/** Conversations to read next: as many as fit, when they are as long as those of the page. */
function nextChunkSize({ conversations, characters }: Page, limit: number): number {
  if (conversations.length === 0) return chunkSize;
  const each = Math.max(1, (limit - characters) / conversations.length);
  return Math.min(chunkSize, Math.max(minChunkSize, Math.ceil((1.1 * characters) / each)));
}

const everything: ChangeCursor = { since: 0, base: 0, walk: null, told: new Map() };

/** `ConversationStore.changes`: ADR 0013. */
export function createChanges(
  database: Database,
  { memberships, seats }: ViewReads,
  hints: HeadHints,
): ConversationStore["changes"] {
  const gatherEvents = createChangeEvents(database);
  const findCandidates = createChangeCandidates(memberships);
  const walks = new WalkMemory();

  /** `null`: the user knows all events of the seat. */
  function toWanted(seat: Seat, cursor: ChangeCursor): Wanted | null {
    const { member, conversation } = seat;
    const entry = cursor.told.get(nameIn(cursor, conversation._id.conversation));
    if (entry !== undefined) {
      const now = toldOf(seat);
      const told = restoreTold(entry, now);
      if (told.head === now.head && told.changes === now.changes) return null;
      const isWider = (member.widened?.changes ?? 0) > told.changes;
      return { seat, known: isWider ? 0 : told.head, since: null };
    }
    const isFormer = member.intervals.at(-1)?.[1] !== null;
    const isUntouched = ticksOf(member.changedAt) <= cursor.since - lookBack;
    if (cursor.since > 0 && isFormer && isUntouched) return null;
    const since = cursor.base - lookBack;
    const isWider = ticksOf(member.widened?.at) > since;
    return { seat, known: 0, since: isWider || since <= 0 ? null : since };
  }

  async function readWanted(
    account: AccountKey,
    found: readonly Stamped[],
    cursor: ChangeCursor,
    session: Session,
  ): Promise<Wanted[]> {
    const names = found.map(({ conversation }) => conversation);
    const [documents, seated] = await Promise.all([
      memberships.activities(account.app, names, session),
      memberships.seated(account, names, session),
    ]);
    return names.flatMap((name) => {
      const member = seated.get(name);
      const conversation = documents.get(name);
      if (member === undefined || conversation === undefined) return [];
      return toWanted({ member, conversation }, cursor) ?? [];
    });
  }

  /** Mostly the last listed message is among the events that were gathered. */
  async function readPlaces(gathered: readonly Gathered[], session: Session): Promise<Place[]> {
    const lastOf = ({ events }: Gathered) => events.find(({ listed }) => listed);
    const rest = gathered.filter((one) => lastOf(one) === undefined);
    const found = await seats.places(
      rest.map(({ seat }) => seat),
      session,
    );
    return gathered.map((one) => {
      const last = lastOf(one);
      return last === undefined ? (found[rest.indexOf(one)] as Place) : { ...one.seat, last };
    });
  }

  /** Puts conversations into the page, from the front, as far as they fit; answers how many. */
  async function add(
    page: Page,
    gathered: readonly Gathered[],
    { eventsEach, eventOverhead = 0, conversationOverhead = 0 }: ChangeQuery,
    session: Session,
  ): Promise<number> {
    const places = await readPlaces(gathered, session);
    const all = gathered.flatMap(({ events }) => events);
    const last = await seats.lastOf(places, { known: all, forList: true }, session);
    const kept: (Omit<ChangedConversation, "view"> & { readonly place: Place })[] = [];
    const unread = new Map<string, number>();
    for (const [index, place] of places.entries()) {
      const { events: newest, floor } = gathered[index] as Gathered;
      const { conversation, member } = place;
      const name = conversationName(conversation._id);
      const events = newest.slice(0, eventsEach).reverse();
      let characters = conversationOverhead + (last.get(name)?.body.length ?? 0);
      for (const { body } of events) characters += body.length + eventOverhead;
      const isFirst = page.conversations.length + kept.length === 0;
      if (characters > page.characters && !isFirst) break;
      while (events.length > 1 && characters > page.characters)
        characters -= (events.shift()?.body.length ?? 0) + eventOverhead;
      page.characters -= characters;
      const behind = floor === null || events.length < newest.length;
      const { head } = toldOf(place);
      const from = behind ? (events[0]?.seq ?? head + 1) : Math.min(floor, head) + 1;
      kept.push({ place, events, from, behind });
      const viewer = { user: member.account.user, intervals: member.intervals };
      if (member.read >= from - 1) unread.set(name, countUnread(events, viewer, member.read));
    }
    const shown = kept.map(({ place }) => place);
    const views = await seats.views(shown, last, unread, session);
    for (const [index, view] of views.entries()) {
      const { place, ...changed } = kept[index] as (typeof kept)[number];
      page.conversations.push({ view, ...changed });
      page.told.set(view.conversation, toldOf(place));
    }
    return kept.length;
  }

  /**
   * Fills the page from the front of `left`. Answers the last conversation that is told now or was told before, and
   * whether there are more.
   */
  async function fill(
    page: Page,
    left: readonly Stamped[],
    { query, cursor }: { readonly query: ChangeQuery; readonly cursor: ChangeCursor },
    session: Session,
  ): Promise<{ readonly reached: Stamped | undefined; readonly more: boolean }> {
    const { app, user, limit, eventsEach: each } = query;
    for (let at = 0, size = 0; at < left.length; at += size) {
      size = nextChunkSize(page, query.characters);
      const chunk = left.slice(at, at + size);
      const wanted = await readWanted({ app, user }, chunk, cursor, session);
      const room = wanted.slice(0, limit - page.conversations.length);
      const gatherLimits = { each, characters: page.characters, eventOverhead: query.eventOverhead ?? 0 };
      const gathered = room.length === 0 ? [] : await gatherEvents(room, gatherLimits, session);
      const added = gathered.length === 0 ? 0 : await add(page, gathered, query, session);
      const first = wanted[added]?.seat.conversation._id.conversation;
      if (first === undefined) continue;
      const next = chunk.findIndex(({ conversation }) => conversation === first);
      return { reached: left[at + next - 1], more: true };
    }
    return { reached: left.at(-1), more: false };
  }

  /** The part of the next cursor about conversations that the next call meets once more. */
  function tellOf(
    page: Page,
    all: readonly Stamped[],
    cursor: ChangeCursor,
    next: Omit<ChangeCursor, "told">,
  ): ChangeCursor {
    const told = new Map<string, Told>();
    const room = roomFor(next);
    // Inside a walk, the states told before the walk are of use, too, until their turn comes.
    const since = next.walk === null || cursor.told.size > 0 ? next.since : next.walk.upTo;
    for (const { conversation, changedAt } of all) {
      if (told.size === room || changedAt <= since - lookBack) break;
      const known = page.told.get(conversation) ?? cursor.told.get(nameIn(cursor, conversation));
      if (known !== undefined) told.set(nameIn(next, conversation), known);
    }
    return { ...next, told };
  }

  /** A cursor that also speaks of what was told in the walk's pages; a later one counts. */
  function withTold(
    cursor: ChangeCursor,
    ...pages: readonly (ReadonlyMap<string, Told> | undefined)[]
  ): ChangeCursor {
    const told = new Map(cursor.told);
    for (const page of pages)
      for (const [conversation, state] of page ?? []) told.set(nameIn(cursor, conversation), state);
    return { ...cursor, told };
  }

  async function readChanges(
    query: ChangeQuery,
    cursor: ChangeCursor,
    now: Ticks,
    session: Session,
  ): Promise<Changes> {
    const account = { app: query.app, user: query.user };
    const { walk, since, base } = cursor;
    const find = () => findCandidates(account, since - lookBack, now, session);
    const { upTo, id } = walk ?? { upTo: now, id: randomInt(walkIds) };
    const key = { account, since, upTo, id };
    // What changed since the walk began is looked for at its end.
    const known = walk === null ? undefined : walks.get(key);
    const all = known?.changes ?? (await find());
    const left = walk === null ? all : all.filter((one) => isBelow(one, walk.below));
    const page: Page = { conversations: [], told: new Map(), characters: query.characters };
    const { reached, more } = await fill(page, left, { query, cursor }, session);
    const answer = (
      next: Omit<ChangeCursor, "told">,
      isMore: boolean,
      changed = all,
      from = cursor,
    ): Changes => ({
      conversations: page.conversations,
      cursor: encodeCursor(tellOf(page, changed, from, next)),
      more: isMore,
    });
    if (more) {
      const told = new Map(known?.told);
      for (const { conversation, changedAt } of all) {
        if (changedAt <= upTo - lookBack) break;
        const state = page.told.get(conversation);
        if (state !== undefined) told.set(conversation, state);
      }
      // A walk that came from another process does not know all that was told.
      if (walk === null || known !== undefined) walks.set(key, { changes: all, told });
      const { changedAt = now, conversation = "" } = reached ?? {};
      return answer(
        { since, base, walk: { upTo, below: { changedAt, tie: tieOf(conversation) }, id } },
        true,
      );
    }
    if (walk === null) return answer({ since: now, base: now, walk: null }, false);
    walks.delete(key);
    const changed = known === undefined ? all : await find();
    const ahead = changed.filter(({ changedAt }) => changedAt > upTo - lookBack);
    const told = withTold({ since, base, walk, told: cursor.told }, known?.told, page.told);
    const escaped = await fill(page, ahead, { query, cursor: told }, session);
    if (!escaped.more) return answer({ since: now, base: now, walk: null }, false, changed, told);
    // Two walks are enough: a user whose conversations go on changing would never come to an end.
    return answer({ since: upTo, base, walk: null }, since === base, changed, told);
  }

  return (query) =>
    database.call(async () => {
      await hints.settle();
      const now = await database.time();
      const { cursor: text } = query;
      const cursor = text === undefined ? everything : decodeCursor(text, now);
      return database.snapshot((session) => readChanges(query, cursor, now, session));
    });
}
