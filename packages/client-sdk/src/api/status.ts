import type { ChatError } from "@chat21/protocol";

/**
 * `connecting`: until the first time online. `online`: subscribed, and caught up with the newest page of changes.
 * `reconnecting`: lost, and coming back by itself. `closed`: for good, by `close()` or because the token is not
 * accepted any more.
 */
export type Status = "connecting" | "online" | "reconnecting" | "closed";

/** A change of status. */
export interface StatusChange {
  readonly status: Status;
  /** The failure behind `reconnecting` and `closed`; `null` without a failure. */
  readonly reason: ChatError | null;
  /** While `connecting` or `reconnecting`: milliseconds until the next attempt; else `null`. */
  readonly retryInMs: number | null;
}
