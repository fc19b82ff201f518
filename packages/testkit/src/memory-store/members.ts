import type { Interval, MemberRecord } from "@chat21/engine";
import type { DiskConversation } from "./disk.ts";

const freshState = { delivered: 0, read: 0, archivedAt: null, markedUnread: false, clearedAt: 0 };

/** Whether the intervals are the same, except that the last one may end: no earlier number comes into sight. */
function onlyEnds(before: readonly Interval[], now: readonly Interval[]): boolean {
  if (before.length !== now.length) return false;
  return now.every(([from, to], index) => {
    const old = before[index];
    return old?.[0] === from && (old[1] === to || (index === now.length - 1 && old[1] === null));
  });
}

/** Inserts or replaces members by user; places stay. `change` is the number of the run's first event. */
export function putMembers(found: DiskConversation, members: readonly MemberRecord[], change: number): void {
  for (const { user, role, intervals } of members) {
    const known = found.members.get(user);
    const widened = known !== undefined && onlyEnds(known.intervals, intervals) ? known.widened : change;
    found.members.set(user, {
      ...{ user, role, state: known?.state ?? freshState, changed: change, widened },
      intervals: intervals.map(([from, to]) => [from, to]),
    });
  }
}
