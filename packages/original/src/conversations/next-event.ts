import type { EventRecord } from "@chat21/engine";

/** The position of a conversation before an event. */
export interface EventPlace {
  readonly app: string;
  readonly conversation: string;
  /** Number of the last event. */
  readonly head: number;
  /** Milliseconds, of the last event. */
  readonly lastTimestamp: number;
}

/** An event in an original's data. The time is the original's; milliseconds. */
export type OriginalEvent = Omit<EventRecord, "app" | "conversation" | "seq" | "committedAt" | "overlay">;

/**
 * The conversation's next event, with the next number and a time later than the last one. Every event of an original is
 * made here.
 */
export function nextEvent(
  { app, conversation, head, lastTimestamp }: EventPlace,
  draft: OriginalEvent,
  now: number,
): EventRecord {
  const timestamp = Math.max(draft.timestamp, lastTimestamp + 1);
  return { app, conversation, seq: head + 1, committedAt: now, overlay: null, ...draft, timestamp };
}
