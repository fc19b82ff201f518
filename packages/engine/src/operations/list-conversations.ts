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

/** Conversations per read. */
const stepConversations = 50;

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
  let last: Required<ListBound> | undefined;
  let count = 0;
  const ranges = [
    { bounds: boundsOf(owner, page), most: limit },
    {
      bounds: () => (last === undefined ? {} : { before: last, after: { timestamp: last.timestamp - 1 } }),
      most: page.cursor === undefined ? limits.listMax : 0,
    },
  ];
  for (const { bounds, most } of ranges) {
    if (count > 0 && count < limit) return null;
    for await (const view of walk(store, { app, user, archived, ...bounds() }, most)) {
      const text = toJson(view);
      if (text !== null && !budget.take(text)) return last === undefined ? null : cursorBehind(owner, last);
      last = { timestamp: view.last?.timestamp ?? 0, conversation: view.conversation };
      count += 1;
      if (text !== null) yield text;
    }
    if (last === undefined) return null;
  }
  return last === undefined ? null : cursorBehind(owner, last);
}

/** Conversations of a range, newest first. */
async function* walk(
  store: Store,
  range: Omit<ConversationQuery, "limit">,
  most: number,
): AsyncGenerator<ConversationView, void> {
  let { before } = range;
  for (let left = most; left > 0; ) {
    const limit = Math.min(left, stepConversations);
    const views = await store.conversations.list({
      ...range,
      ...(before === undefined ? {} : { before }),
      limit,
    });
    yield* views;
    const last = views.at(-1);
    if (last === undefined || views.length < limit) return;
    before = { timestamp: last.last?.timestamp ?? 0, conversation: last.conversation };
    left -= views.length;
  }
}

type Bounds = Pick<ConversationQuery, "after" | "before">;

function boundsOf(owner: CursorOwner, { cursor, before, after }: ListPage): () => Bounds {
  const bounds: Bounds = {
    ...(before === undefined ? {} : { before: { timestamp: before } }),
    ...(cursor === undefined ? {} : { before: placeIn(readCursor(owner, cursor)) }),
    ...(after === undefined ? {} : { after: { timestamp: after } }),
  };
  return () => bounds;
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
