import type { SyncItem } from "@chat21/protocol";
import type { SyncSource } from "./sync-ports.ts";
import type { Answered, Timeline } from "./timeline.ts";
import { topRange } from "./timeline.ts";

// Server and database may read their clocks at slightly different moments.
const clockToleranceMs = 10_000;

/** Whom to ask, and how much is fetched after a time away. */
export interface CatchUpContext {
  readonly source: SyncSource;
  readonly signal: AbortSignal;
  /** Of the answer that begins anew. */
  readonly epoch: string;
  /** Events of one answer, at most. */
  readonly pageEvents: number;
  /** Missed events of one conversation that are still fetched. */
  readonly maxCatchUp: number;
}

/**
 * A server begins anew also where merely more is missing than one answer holds. `true`: the message at the position is
 * still the one this client has, and not too much is missing: the rest is to be fetched, and nothing is left out.
 */
export async function isMerelyBehind(
  timeline: Timeline,
  { state: { conversWith, head } }: SyncItem,
  { source, signal, epoch, pageEvents, maxCatchUp }: CatchUpContext,
): Promise<boolean> {
  const { position, positionMessageId } = timeline;
  const missing = head - position;
  if (position === 0 || missing < pageEvents || missing > maxCatchUp) return false;
  const page = { after: position - 1, before: position + 1, limit: 1 };
  const answer = await source.events(conversWith, page, signal);
  const there = answer.events.find(({ seq }) => seq === position)?.message?.message_id;
  return answer.epoch === epoch && there === positionMessageId;
}

/**
 * Takes in the newest events of a conversation that this client did not know. What had been there when it last looked,
 * and is on a device of this user already, is no news: the conversation was merely too far down the list. Where all of an
 * answer is news, there may be more before it: the timeline keeps a gap there, to be asked for. `false`: too much of it,
 * the conversation begins with what was answered.
 */
export function discover(
  timeline: Timeline,
  answered: Answered,
  delivered: number,
  maxCatchUp: number,
): boolean {
  const seenAt = timeline.seenAt - clockToleranceMs;
  for (const { seq, timestamp } of answered.events) {
    if (timestamp <= seenAt && seq <= delivered) timeline.makeHistory(seq);
  }
  timeline.accept(answered);
  const from = topRange(answered)?.[0] ?? 1;
  const reachesHistory = from <= 1 || timeline.historyUpTo >= from;
  const isTooMuch = !reachesHistory && timeline.head - from > maxCatchUp;
  if (reachesHistory || isTooMuch) timeline.begin(answered);
  return !isTooMuch;
}
