import type { Session } from "@chat21/engine";
import type { EdgeLimits } from "../edge-limits.ts";

/** A connection, as far as its unread bytes matter. */
export interface Queueing {
  readonly session: Session | null;
  /** Bytes that wait for its client. */
  readonly queuedBytes: number;
}

/** Bounds of the bytes that wait for clients which do not read. */
export type QueueLimits = Pick<EdgeLimits, "maxBufferedBytesOfAll" | "maxBufferedBytesPerUser">;

/**
 * The connections to close, so that the bytes for each user, and for all of them, are within their bounds again: those with
 * the most bytes first.
 */
export function overfull<Member extends Queueing>(all: Iterable<Member>, limits: QueueLimits): Member[] {
  const filled: { readonly member: Member; readonly user: string; readonly bytes: number }[] = [];
  const users = new Map<string, number>();
  let total = 0;
  for (const member of all) {
    const { session, queuedBytes: bytes } = member;
    if (session === null || bytes === 0) continue;
    const user = `${session.app}/${session.user}`;
    filled.push({ member, user, bytes });
    users.set(user, (users.get(user) ?? 0) + bytes);
    total += bytes;
  }
  const { maxBufferedBytesOfAll, maxBufferedBytesPerUser } = limits;
  const closed: Member[] = [];
  for (const { member, user, bytes } of filled.sort((one, other) => other.bytes - one.bytes)) {
    const ofUser = users.get(user) ?? 0;
    if (total <= maxBufferedBytesOfAll && ofUser <= maxBufferedBytesPerUser) continue;
    closed.push(member);
    users.set(user, ofUser - bytes);
    total -= bytes;
  }
  return closed;
}
