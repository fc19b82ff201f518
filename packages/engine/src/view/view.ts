/**
 * The rules of one user's view of a conversation. Every rule is stated only here (the ones that the SDK shares are in
 * the protocol's `view.ts`). Stores push these rules down into queries; the store contract compares both on random
 * logs.
 */
import { compareListed, countsAsUnread, limits } from "@chat21/protocol";
import type { ListBound } from "../ports/conversation-store.ts";
import type { EventRecord, Interval, MemberState } from "../ports/records.ts";

/** A member, as far as it decides what the member may see. */
export interface Viewer {
  readonly user: string;
  readonly intervals: readonly Interval[];
}

/** Whether a number lies in one of the intervals. */
export function sees(intervals: readonly Interval[], seq: number): boolean {
  for (const [from, to] of intervals) if (seq >= from && (to === null || seq <= to)) return true;
  return false;
}

/** Whether the member may see the event: it lies in the member's intervals, and is not hidden from the member. */
export function isVisible(event: Pick<EventRecord, "hiddenFor" | "seq">, viewer: Viewer): boolean {
  return event.hiddenFor !== viewer.user && sees(viewer.intervals, event.seq);
}

/** The last number that the intervals reach in a log that ends at `head`; 0 without an interval. */
export function visibleHead(intervals: readonly Interval[], head: number): number {
  const last = intervals.at(-1);
  return last === undefined ? 0 : Math.min(last[1] ?? head, head);
}

/** The event that a list shows for a conversation: the newest listed one that the member sees. */
export function lastListed(events: readonly EventRecord[], viewer: Viewer): EventRecord | null {
  return events.findLast((event) => event.listed && isVisible(event, viewer)) ?? null;
}

/** Unread events: listed, visible, beyond the `read` watermark and written by others; counted up to `limits.unreadMax`. */
export function countUnread(events: readonly EventRecord[], viewer: Viewer, read: number): number {
  let unread = 0;
  for (const event of events) {
    if (event.seq <= read || !event.listed || !isVisible(event, viewer)) continue;
    if (countsAsUnread(event, viewer)) unread += 1;
    if (unread === limits.unreadMax) break;
  }
  return unread;
}

/** A conversation's last listed event and the member's place in it. */
export interface ListItem {
  readonly state: Pick<MemberState, "archivedAt" | "clearedAt">;
  readonly last: Pick<EventRecord, "seq"> | null;
}

/** Whether the conversation is on one of the user's lists: a listed event came since it was cleared. */
export function isOnList({ state, last }: ListItem): boolean {
  return last !== null && last.seq > state.clearedAt;
}

/** Whether the conversation is in the archive: it was archived, and no listed event came since. */
export function isArchived({ state, last }: ListItem): boolean {
  return state.archivedAt !== null && (last === null || last.seq <= state.archivedAt);
}

/** Whether a conversation shows as new: marked unread by hand, or its last event lies beyond the `read` watermark. */
export function isNew(
  state: Pick<MemberState, "markedUnread" | "read">,
  last: Pick<EventRecord, "seq">,
): boolean {
  return state.markedUnread || state.read < last.seq;
}

/** Whether a list's place lies behind the bound: see `ConversationQuery.before`. */
export function isBehind(place: Required<ListBound>, bound: ListBound): boolean {
  return bound.conversation === undefined
    ? place.timestamp < bound.timestamp
    : compareListed(place, bound as Required<ListBound>) > 0;
}

/** Whether a list's place lies in front of the bound: see `ConversationQuery.after`. */
export function isInFront(place: Required<ListBound>, bound: ListBound): boolean {
  return bound.conversation === undefined
    ? place.timestamp > bound.timestamp
    : compareListed(place, bound as Required<ListBound>) < 0;
}
