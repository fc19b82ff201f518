import type { Position, Range, SyncRequest } from "@chat21/protocol";
import { ChatError, limits } from "@chat21/protocol";
import { ConversationState } from "../conversation-state.ts";
import type { Actor, JsonText, Page, SyncOperations } from "../engine.ts";
import type { OperationsContext } from "../operations-context.ts";
import { pageLimit, resolveConversation } from "../operations-context.ts";
import type { EventRange } from "../ports/event-log.ts";
import type { ConversationView, EventRecord } from "../ports/records.ts";
import type { Store } from "../ports/store.ts";
import { conversationStateJson } from "../project-conversation.ts";
import { storedEventJson } from "../project-event.ts";

/** Catching up: `ADR-0004`. */
export function syncOperations(context: OperationsContext): SyncOperations {
  return {
    sync: (actor, request) => answerSync(context, actor, request),
    events: (actor, conversWith, page) => readEvents(context, actor, conversWith, page),
  };
}

async function answerSync(context: OperationsContext, actor: Actor, request: SyncRequest): Promise<JsonText> {
  const { store, clock } = context;
  const { app, user } = actor;
  const listed = await store.conversations.list({ app, user, archived: null, limit: limits.listMax });
  const views = new Map(listed.map((view) => [view.record.conversation, view]));
  const positions = new Map<string, Position>();
  for (const [conversWith, position] of Object.entries(request.positions)) {
    const conversation = await resolveConversation(context, app, user, conversWith);
    if (!views.has(conversation)) {
      const view = await store.conversations.view(app, conversation, user);
      if (view === null) continue;
      views.set(conversation, view);
    }
    positions.set(conversation, position);
  }
  if (request.epoch !== undefined && request.epoch !== store.epoch) positions.clear();
  const limit = eventsEach(request.limit ?? limits.listDefault, behind(views, positions, user));
  const room = new Room();
  const items: JsonText[] = [];
  for (const view of views.values()) {
    const position = positions.get(view.record.conversation);
    items.push(await catchUp(context, actor, view, position, limit, room));
  }
  return `{"epoch":"${store.epoch}","now":${clock.now()},"conversations":[${items.join(",")}]}`;
}

/** In how many conversations a reader at these positions lacks something. */
function behind(
  views: ReadonlyMap<string, ConversationView>,
  positions: ReadonlyMap<string, Position>,
  user: string,
): number {
  let count = 0;
  for (const [conversation, { record }] of views) {
    if (positions.get(conversation)?.seq !== new ConversationState(record).visibleHead(user)) count++;
  }
  return count;
}

/** How many events of each conversation fit: an answer is built in memory, and must not be as large as a store. */
function eventsEach(wanted: number, conversations: number): number {
  return Math.max(1, Math.min(wanted, Math.floor(limits.syncEvents / Math.max(1, conversations))));
}

/** What an answer may still hold of bodies. */
class Room {
  #characters: number = limits.syncCharacters;

  /** Whether all of them fit; if so, they take their room. */
  takeAll(events: readonly EventRecord[]): boolean {
    const characters = events.reduce((sum, { body }) => sum + body.length, 0);
    if (characters > this.#characters) return false;
    this.#characters -= characters;
    return true;
  }

  /** As many as fit from one end of the list, one at least. */
  takeFrom(end: "newest" | "oldest", events: readonly EventRecord[]): readonly EventRecord[] {
    let count = 0;
    while (count < events.length) {
      const { body } = events.at(end === "newest" ? -1 - count : count) as EventRecord;
      if (count > 0 && body.length > this.#characters) break;
      this.#characters -= body.length;
      count++;
    }
    return end === "newest" ? events.slice(events.length - count) : events.slice(0, count);
  }
}

/** What there is and fits, one event at least. `isWhole`: there is no more in that range. */
async function readSome(store: Store, range: EventRange, room: Room) {
  const read = await store.events.read(range);
  const events = room.takeFrom(range.from, read);
  return { events, isWhole: read.length < range.limit && events.length === read.length };
}

/** One conversation: nothing new, what came since the position, or the newest events and a fresh start. */
async function catchUp(
  context: OperationsContext,
  { app, user }: Actor,
  view: ConversationView,
  position: Position | undefined,
  limit: number,
  room: Room,
): Promise<JsonText> {
  const { store } = context;
  const { conversation } = view.record;
  const head = new ConversationState(view.record).visibleHead(user);
  const state = conversationStateJson(view, store.epoch, user, head);
  const range = { app, conversation, before: head + 1, visibleTo: user } as const;
  if (
    position !== undefined &&
    position.seq <= head &&
    head - position.seq < Math.min(limit + 1, limits.listMax)
  ) {
    // One more event than is missing: the one at the position must be the one the reader has.
    const from = Math.max(0, position.seq - 1);
    const read = await store.events.read({
      ...range,
      after: from,
      limit: Math.min(limit + 1, limits.listMax),
      from: "oldest",
    });
    const known = read.find(({ seq }) => seq === position.seq);
    if (isSame(known, position)) {
      if (position.seq === head) return `{"result":"same","state":${state}}`;
      const events = read.filter(({ seq }) => seq > position.seq);
      if (room.takeAll(events)) {
        return answer(context, "delta", view, user, state, [position.seq + 1, head], events);
      }
    }
  }
  const { events, isWhole } = await readSome(store, { ...range, limit, from: "newest" }, room);
  const first = isWhole ? 1 : (events[0]?.seq ?? 1);
  return answer(context, "reset", view, user, state, [first, head], events);
}

function isSame(known: EventRecord | undefined, position: Position): boolean {
  return known === undefined || position.message_id === undefined || known.messageId === position.message_id;
}

function answer(
  { store }: OperationsContext,
  result: "delta" | "reset",
  view: ConversationView,
  user: string,
  state: JsonText,
  covered: Range,
  events: readonly EventRecord[],
): JsonText {
  return `{"result":"${result}","state":${state},"covered":[${rangeJson(covered)}],"events":[${eventsJson(store.epoch, view, user, events)}]}`;
}

/** `before` and `after` are exclusive numbers; without them the newest. The answer says what it covers. */
async function readEvents(
  context: OperationsContext,
  actor: Actor,
  conversWith: string,
  page: Page,
): Promise<JsonText> {
  const { store } = context;
  const { app, user } = actor;
  const conversation = await resolveConversation(context, app, user, conversWith);
  const view = await store.conversations.view(app, conversation, user);
  if (view === null) throw new ChatError("not_found", "there is no such conversation for this user");
  const head = new ConversationState(view.record).visibleHead(user);
  const limit = pageLimit(page);
  const after = page.after ?? 0;
  const before = Math.min(page.before ?? head + 1, head + 1);
  const from = page.after !== undefined && page.before === undefined ? "oldest" : "newest";
  const range = { app, conversation, after, before, limit, from, visibleTo: user } as const;
  const nothing = { events: [], isWhole: true };
  const { events, isWhole } = before - after > 1 ? await readSome(store, range, new Room()) : nothing;
  const covered = coveredRange(events, { after, before, isWhole, from });
  return (
    `{"epoch":"${store.epoch}","head":${head},"covered":[${covered === null ? "" : rangeJson(covered)}],` +
    `"events":[${eventsJson(store.epoch, view, user, events)}]}`
  );
}

function coveredRange(
  events: readonly EventRecord[],
  {
    after,
    before,
    isWhole,
    from,
  }: { after: number; before: number; isWhole: boolean; from: "newest" | "oldest" },
): Range | null {
  if (before - after <= 1) return null;
  if (isWhole) return [after + 1, before - 1];
  return from === "newest"
    ? [events[0]?.seq ?? after + 1, before - 1]
    : [after + 1, events.at(-1)?.seq ?? before - 1];
}

function eventsJson(
  epoch: string,
  view: ConversationView,
  user: string,
  events: readonly EventRecord[],
): string {
  const watermarks = { own: view.state, counterpart: view.counterpart };
  return events.map((event) => storedEventJson(event, epoch, user, watermarks)).join(",");
}

function rangeJson([from, to]: Range): string {
  return `[${from},${to}]`;
}
