import type { EventRecord, Interval } from "@chat21/engine";
import { systemUser } from "@chat21/protocol";
import type { DiskConversation, DiskMember } from "./disk.ts";

function isInside(seq: number, intervals: readonly Interval[]): boolean {
  return intervals.some(([from, to]) => from <= seq && (to === null || seq <= to));
}

/** Whether a member may see an event: inside the intervals, and not hidden. */
export function canSee(member: DiskMember | undefined, event: EventRecord): boolean {
  return member !== undefined && event.hiddenFor !== member.user && isInside(event.seq, member.intervals);
}

/** Newest event that a list may show to the member. */
export function lastListed(found: DiskConversation, member: DiskMember): EventRecord | null {
  return found.events.findLast((event) => event.listed && canSee(member, event)) ?? null;
}

/** How many unread events a view counts, at most. */
const maxUnread = 1_000;

/** Listed events of other people beyond the read watermark, counted to 1,000. */
export function countUnread(found: DiskConversation, member: DiskMember): number {
  const uncounted: readonly string[] = [member.user, systemUser];
  const unread = found.events
    .slice(member.state.read)
    .filter((event) => event.listed && !uncounted.includes(event.sender) && canSee(member, event));
  return Math.min(unread.length, maxUnread);
}

/** When the conversation's last event happened; 0 when it has none. */
export function lastTimestampOf(found: DiskConversation): number {
  return found.events.at(-1)?.timestamp ?? 0;
}
