import { ChatError, directMembers, isGroupId, isUserId, limits } from "@chat21/protocol";
import type { Actor, JsonItems, JsonText, ListPage } from "../engine.ts";
import type { OperationsContext } from "../operations-context.ts";
import { pageLimit, requireSelf } from "../operations-context.ts";
import type { ConversationQuery, ListBound } from "../ports/conversation-store.ts";
import type { ConversationView } from "../ports/records.ts";
import type { Store } from "../ports/store.ts";
import type { CursorOwner } from "../view/cursor.ts";
import { readCursor, writeCursor } from "../view/cursor.ts";
import { AnswerBudget } from "./answer-budget.ts";

/** Conversations of the first read. */
const firstStep = 50;

/**
 * Stored characters of one further read, at most, when its messages are as long as those of the last one. A page of short
 * texts is two reads, and long texts never fill the memory.
 */
const stepCharacters = 500_000;

/** The list to read, and the page of it. */
interface WantedList {
  /** `null` = both. */
  readonly archived: boolean | null;
  readonly page: ListPage;
}

/**
 * A page of a user's list, newest first, read step by step. A page that goes by `timestamp` alone ends behind all
 * conversations of its last timestamp, because the next page cannot name a place between them.
 */
export async function* listConversations(
  { store }: OperationsContext,
  actor: Actor,
  user: string,
  { archived, page }: WantedList,
  toJson: (view: ConversationView) => JsonText | null,
): JsonItems {
  requireSelf(actor, user);
  const { app } = actor;
  const owner = { answer: "list", app, user } as const;
  const limit = pageLimit(page);
  const budget = new AnswerBudget();
  const whole = { app, user, archived, ...boundsOf(owner, page) };
  let last: Required<ListBound> | undefined;
  let count = 0;
  for await (const view of walk(store, whole, limit)) {
    const place = { timestamp: view.last?.timestamp ?? 0, conversation: view.conversation };
    const isTied = page.cursor === undefined && place.timestamp === last?.timestamp;
    if (count >= limit && !(isTied && count < limit + limits.listMax)) break;
    const text = toJson(view);
    if (text !== null && !budget.take(text)) return last === undefined ? null : cursorBehind(owner, last);
    last = place;
    count += 1;
    if (text !== null) yield text;
  }
  return last === undefined || count < limit ? null : cursorBehind(owner, last);
}

/**
 * Conversations of a range, newest first. One more than the page has comes with its last read: mostly it shows that
 * nothing is tied with the page's end.
 */
async function* walk(
  store: Store,
  range: Omit<ConversationQuery, "limit">,
  page: number,
): AsyncGenerator<ConversationView, void> {
  let { before } = range;
  let step = firstStep;
  for (let left = page + 1; ; ) {
    const limit = left > 0 && left <= step + 1 ? left : step;
    const bound = before === undefined ? {} : { before };
    const views = await store.conversations.list({ ...range, ...bound, limit });
    yield* views;
    const last = views.at(-1);
    if (last === undefined || views.length < limit) return;
    before = { timestamp: last.last?.timestamp ?? 0, conversation: last.conversation };
    left -= views.length;
    const characters = views.reduce((sum, view) => sum + (view.last?.body.length ?? 0), 0);
    const fitting = Math.floor((stepCharacters * views.length) / Math.max(1, characters));
    step = Math.min(limits.listMax, Math.max(firstStep, fitting));
  }
}

type Bounds = Pick<ConversationQuery, "after" | "before">;

function boundsOf(owner: CursorOwner, { cursor, before, after }: ListPage): Bounds {
  return {
    ...(before === undefined ? {} : { before: { timestamp: before } }),
    ...(cursor === undefined ? {} : { before: placeIn(readCursor(owner, cursor)) }),
    ...(after === undefined ? {} : { after: { timestamp: after } }),
  };
}

function cursorBehind(owner: CursorOwner, { timestamp, conversation }: Required<ListBound>): string {
  return writeCursor(owner, `${timestamp}.${Buffer.from(conversation).toString("base64url")}`);
}

function placeIn(place: string): Required<ListBound> {
  const [, timestamp, name = ""] = /^(\d{1,16})\.([\w-]+)$/.exec(place) ?? [];
  const conversation = Buffer.from(name, "base64url").toString("utf8");
  const isName = isGroupId(conversation) || directMembers(conversation)?.every(isUserId) === true;
  if (timestamp === undefined || !isName) throw new ChatError("invalid_cursor");
  return { timestamp: Number(timestamp), conversation };
}
