import type { ChatMessage } from "@chat21/client-sdk";
import { endOfDay, startOfDay } from "../ui/format-time.ts";
import { isInfo, isJoin } from "./info-text.ts";

/**
 * Groups messages by day, by block and by sender, and keeps their order. The unread divider stands before the first
 * message of somebody else with a number above `readUpTo`; with `null` there is no divider. Days and blocks of `before`
 * that have not changed are taken over as the same objects: what is shown already is not rendered again. Messages of a
 * later day than `latestDay`, which a clock that was ahead has given them, belong to that one.
 */
export function arrangeMessages(
  messages: readonly ChatMessage[],
  readUpTo: number | null,
  before: readonly Day[] = [],
  latestDay: number = Number.POSITIVE_INFINITY,
): readonly Day[] {
  const known = new Map(before.map((day) => [day.timestamp, day]));
  const firstNew = readUpTo === null ? undefined : messages.find((message) => isNews(message, readUpTo));
  const days: Day[] = [];
  for (let at = 0; at < messages.length; ) {
    const timestamp = Math.min(startOfDay(messages[at]?.timestamp ?? 0), latestDay);
    const midnight = timestamp === latestDay ? Number.POSITIVE_INFINITY : endOfDay(timestamp);
    // A message that waits has the time of this device, which may lie before the day: it stays at its place.
    const isToday = (message: ChatMessage | undefined) =>
      message !== undefined && message.timestamp < midnight;
    const old = known.get(timestamp);
    const blocks: Block[] = [];
    do {
      const from = at;
      const number = blockNumber(messages[from]);
      do at += 1;
      while (isToday(messages[at]) && blockNumber(messages[at], number) === number);
      const previous = blocks.length > 0 ? messages[from - 1] : undefined;
      blocks.push(arrangeBlock(number, messages.slice(from, at), previous, firstNew, old?.blocks));
    } while (isToday(messages[at]));
    days.push(old !== undefined && isEqual(old.blocks, blocks) ? old : { timestamp, blocks });
  }
  return days;
}

/** The messages of one day. */
export interface Day {
  /** Midnight at its beginning. */
  readonly timestamp: number;
  readonly blocks: readonly Block[];
}

/**
 * Messages of one day whose numbers lie in the same fifty. The borders do not depend on what was loaded, so a block
 * stays the same when messages are added before or after it.
 */
export interface Block {
  readonly key: string;
  readonly messages: readonly ChatMessage[];
  /** The first row goes on with the last one of the block before. */
  readonly continued: boolean;
  /** The unread divider stands before this message of the block. */
  readonly firstNew: ChatMessage | undefined;
  readonly rows: readonly Row[];
}

/** A row of the timeline. */
export type Row = Run | Info | Deleted | { readonly kind: "unread"; readonly key: string };

/** Consecutive messages of one sender. */
export interface Run {
  readonly kind: "run";
  readonly key: string;
  readonly sender: string;
  readonly own: boolean;
  /** The run began in the block before. */
  readonly continued: boolean;
  readonly messages: readonly ChatMessage[];
}

/** One or more info messages. People who joined one after the other share a row. */
interface Info {
  readonly kind: "info";
  readonly key: string;
  readonly messages: readonly ChatMessage[];
}

/** Deleted messages. Those deleted one behind the other share a row, whoever wrote them. */
interface Deleted {
  readonly kind: "deleted";
  readonly key: string;
  readonly messages: readonly ChatMessage[];
}

const pauseMs = 5 * 60_000;
const blockSize = 50;

/** A message that waits has no number yet: it belongs to the block of those before it. */
function blockNumber(message: ChatMessage | undefined, otherwise = Number.POSITIVE_INFINITY): number {
  const seq = message?.seq ?? null;
  return seq === null ? otherwise : Math.floor(seq / blockSize);
}

function arrangeBlock(
  number: number,
  messages: readonly ChatMessage[],
  previous: ChatMessage | undefined,
  news: ChatMessage | undefined,
  before: readonly Block[] = [],
): Block {
  const [first] = messages;
  const key = `block ${number}`;
  const firstNew = messages.find((message) => message === news);
  const continued = first !== undefined && first !== firstNew && continues(previous, first);
  const old = before.find((block) => block.key === key);
  if (old?.continued === continued && old.firstNew === firstNew && isEqual(old.messages, messages))
    return old;
  return { key, messages, continued, firstNew, rows: rowsOf(messages, continued, firstNew) };
}

function rowsOf(
  messages: readonly ChatMessage[],
  continued: boolean,
  firstNew: ChatMessage | undefined,
): Row[] {
  const rows: Row[] = [];
  let gathered: ChatMessage[] = [];
  for (const message of messages) {
    if (message === firstNew) {
      rows.push({ kind: "unread", key: "unread" });
      gathered = [];
    }
    if (continues(gathered.at(-1), message)) gathered.push(message);
    else {
      gathered = [message];
      rows.push(rowOf(message, gathered, continued && rows.length === 0));
    }
  }
  return rows;
}

/** Says whether a message is from somebody else and unread. */
export function isNews(message: ChatMessage, readUpTo: number): boolean {
  const { own, deleted, seq } = message;
  return !own && !deleted && !isInfo(message) && seq !== null && seq > readUpTo;
}

function rowOf(message: ChatMessage, messages: readonly ChatMessage[], continued: boolean): Row {
  const { key, sender, own, deleted } = message;
  if (deleted) return { kind: "deleted", key, messages };
  if (isInfo(message)) return { kind: "info", key, messages };
  return { kind: "run", key, sender, own, continued, messages };
}

function continues(last: ChatMessage | undefined, message: ChatMessage): boolean {
  if (last === undefined) return false;
  if (last.deleted || message.deleted) return last.deleted && message.deleted;
  if (isInfo(last) || isInfo(message)) return isJoin(last) && isJoin(message);
  return last.sender === message.sender && message.timestamp - last.timestamp < pauseMs;
}

function isEqual<Item>(some: readonly Item[], others: readonly Item[]): boolean {
  return some.length === others.length && some.every((item, index) => item === others[index]);
}
