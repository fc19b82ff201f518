import type { Range, SyncRequest } from "@chat21/protocol";
import { ChatError, limits } from "@chat21/protocol";
import type { Actor, JsonText, Page, SyncOperations } from "../engine.ts";
import type { OperationsContext } from "../operations-context.ts";
import { pageLimit, resolveConversation } from "../operations-context.ts";
import type { ChangedConversation } from "../ports/conversation-store.ts";
import type { EventRange } from "../ports/event-log.ts";
import type { ConversationView, EventRecord } from "../ports/records.ts";
import { conversationStateJson } from "../project-conversation.ts";
import { storedEventJson } from "../project-event.ts";
import { shortHash } from "../short-hash.ts";
import { readCursor, writeCursor } from "../view/cursor.ts";
import { answerCharacters, conversationOverhead, eventOverhead, isWhole } from "./answer-budget.ts";

/** Catching up: `ADR-0015`. */
export function syncOperations(context: OperationsContext): SyncOperations {
  return {
    sync: (actor, request) => answerSync(context, actor, request),
    events: (actor, conversWith, page) => readEvents(context, actor, conversWith, page),
  };
}

/** The place and the history that one page of changes is read from. */
interface Place {
  /** `undefined`: from the beginning. */
  readonly cursor: string | undefined;
  /** The given cursor belongs to another history. */
  readonly isReset: boolean;
}

async function answerSync(context: OperationsContext, actor: Actor, request: SyncRequest): Promise<JsonText> {
  const { store, clock } = context;
  const { app, user } = actor;
  context.requireService(app);
  // Before the store is read: what is committed meanwhile must not look like something that the answer holds.
  const now = clock.now();
  const { cursor, isReset } = placeOf(context, actor, request.cursor);
  const query = {
    app,
    user,
    ...(cursor === undefined ? {} : { cursor }),
    limit: limits.syncConversations,
    eventsEach: request.limit ?? limits.listDefault,
    characters: answerCharacters,
    eventOverhead,
    conversationOverhead,
  };
  const changes = await store.conversations.changes(query);
  const items = changes.conversations.map((changed) => itemJson(context, user, changed));
  const next = writeCursor({ answer: "sync", app, user }, `${shortHash(store.epoch)}.${changes.cursor}`);
  return (
    `{"epoch":"${store.epoch}","now":${now},"cursor":"${next}","more":${changes.more}` +
    `${isReset ? ',"reset":true' : ""},"conversations":[${items.join(",")}]}`
  );
}

/** Numbers and times of another epoch mean nothing: a cursor of another epoch begins anew. */
function placeOf({ store }: OperationsContext, { app, user }: Actor, text: string | undefined): Place {
  if (text === undefined) return { cursor: undefined, isReset: false };
  const place = readCursor({ answer: "sync", app, user }, text);
  const [, epoch, cursor] = /^([0-9a-f]{8})\.(.+)$/.exec(place) ?? [];
  if (cursor === undefined) throw new ChatError("invalid_cursor");
  return epoch === shortHash(store.epoch) ? { cursor, isReset: false } : { cursor: undefined, isReset: true };
}

function itemJson(context: OperationsContext, user: string, changed: ChangedConversation): JsonText {
  const { view, events, from, behind } = changed;
  const covered = from <= view.head ? rangeJson([from, view.head]) : "";
  return (
    `{"state":${conversationStateJson(view, context.store.epoch, user)},"covered":[${covered}],` +
    `"events":[${eventsJson(context, view, user, events)}]${behind ? ',"behind":true' : ""}}`
  );
}

/**
 * Reads events. `before` and `after` are exclusive numbers; without them the newest. The answer says what it covers.
 */
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
  const limit = pageLimit(page);
  const after = page.after ?? 0;
  const before = Math.min(page.before ?? view.head + 1, view.head + 1);
  const from = page.after !== undefined && page.before === undefined ? "oldest" : "newest";
  const range = { app, conversation, after, before, limit, from, visibleTo: user } as const;
  const events =
    before - after > 1 ? await store.events.read({ ...range, characters: answerCharacters }) : [];
  const covered = await coveredRange(context, events, range);
  return (
    `{"epoch":"${store.epoch}","head":${view.head},"covered":[${covered === null ? "" : rangeJson(covered)}],` +
    `"events":[${eventsJson(context, view, user, events)}]}`
  );
}

/** The range that the answer covers: the whole range where nothing visible is left beyond the events. */
async function coveredRange(
  { store }: OperationsContext,
  events: readonly EventRecord[],
  range: EventRange & { readonly after: number; readonly before: number },
): Promise<Range | null> {
  const { after, before, from } = range;
  if (before - after <= 1) return null;
  const whole: Range = [after + 1, before - 1];
  const [first, last] = [events[0], events.at(-1)];
  if (first === undefined || last === undefined) return whole;
  if (isWhole(events, range.limit, answerCharacters)) return whole;
  const rest = from === "newest" ? { ...range, before: first.seq } : { ...range, after: last.seq };
  if ((await store.events.read({ ...rest, limit: 1 })).length === 0) return whole;
  return from === "newest" ? [first.seq, before - 1] : [after + 1, last.seq];
}

function eventsJson(
  { store, kinds }: OperationsContext,
  view: ConversationView,
  user: string,
  events: readonly EventRecord[],
): string {
  const watermarks = { own: view.state, counterpart: view.counterpart };
  const reader = { kinds, epoch: store.epoch, user, watermarks };
  return events.flatMap((event) => storedEventJson(event, reader) ?? []).join(",");
}

function rangeJson([from, to]: Range): string {
  return `[${from},${to}]`;
}
