import type { EventRecord } from "@chat21/engine";

/** Where a conversation stands before an event. */
export interface EventPlace {
  readonly app: string;
  readonly conversation: string;
  /** Number of the last event. */
  readonly head: number;
  /** Milliseconds, of the last event. */
  readonly lastTimestamp: number;
}

/** What an original says of an event. The time is the original's; milliseconds. */
export type OriginalEvent = Omit<EventRecord, "app" | "conversation" | "seq" | "committedAt" | "overlay">;

/**
 * The conversation's next event: it has the next number, and a time that is later than the last one's.
 * Every event of an original is made here.
 */
export function nextEvent(
  { app, conversation, head, lastTimestamp }: EventPlace,
  draft: OriginalEvent,
  now: number,
): EventRecord {
  const timestamp = Math.max(draft.timestamp, lastTimestamp + 1);
  return { app, conversation, seq: head + 1, committedAt: now, overlay: null, ...draft, timestamp };
}
