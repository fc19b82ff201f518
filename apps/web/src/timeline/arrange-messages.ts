import type { ChatMessage } from "@chat21/client-sdk";
import { startOfDay } from "../ui/format-time.ts";
import { isInfo, isJoin } from "./info-text.ts";

/**
 * Groups messages by day and by sender, and keeps their order. The unread divider stands before the first message of
 * somebody else with a number above `readUpTo`; with `null` there is no divider.
 */
export function arrangeMessages(messages: readonly ChatMessage[], readUpTo: number | null): Day[] {
  const days: { key: string; timestamp: number; rows: Row[] }[] = [];
  let day: (typeof days)[number] | undefined;
  let gathered: ChatMessage[] = [];
  let divided = readUpTo === null;
  for (const message of messages) {
    if (day === undefined || startOfDay(day.timestamp) !== startOfDay(message.timestamp)) {
      day = { key: `day ${message.key}`, timestamp: message.timestamp, rows: [] };
      days.push(day);
      gathered = [];
    }
    if (!divided && isNews(message, readUpTo ?? 0)) {
      day.rows.push({ kind: "unread", key: "unread" });
      divided = true;
      gathered = [];
    }
    if (continues(gathered.at(-1), message)) gathered.push(message);
    else {
      gathered = [message];
      day.rows.push(rowOf(message, gathered));
    }
  }
  return days;
}

/** The rows of one day. */
export interface Day {
  readonly key: string;
  /** Timestamp of its first message. */
  readonly timestamp: number;
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

/** Says whether a message is from somebody else and unread. */
function isNews(message: ChatMessage, readUpTo: number): boolean {
  const { own, deleted, seq } = message;
  return !own && !deleted && !isInfo(message) && seq !== null && seq > readUpTo;
}

function rowOf(message: ChatMessage, messages: readonly ChatMessage[]): Row {
  const { key, sender, own, deleted } = message;
  if (deleted) return { kind: "deleted", key, messages };
  return isInfo(message) ? { kind: "info", key, messages } : { kind: "run", key, sender, own, messages };
}

function continues(last: ChatMessage | undefined, message: ChatMessage): boolean {
  if (last === undefined) return false;
  if (last.deleted || message.deleted) return last.deleted && message.deleted;
  if (isInfo(last) || isInfo(message)) return isJoin(last) && isJoin(message);
  return last.sender === message.sender && message.timestamp - last.timestamp < pauseMs;
}
