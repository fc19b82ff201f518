import type { CommittedOutside } from "./ports/event-log.ts";

/** Whether a commit at `committedAt` is one that `EventLog.undispatched` is asked for: before a time, or outside a stretch. */
export function isCommittedOutside(committedAt: number, committed: number | CommittedOutside): boolean {
  if (typeof committed === "number") return committedAt < committed;
  return committedAt < committed.before || committedAt > committed.after;
}
