import type { DatabaseSync } from "node:sqlite";
import { ConversationEnds } from "./conversation-ends.ts";

/** Ends of conversations on the connection that reads: at least as far as the snapshot goes. */
export interface EndReads {
  /** Log position of the last event. */
  logPosition(conversation: number): number;
  /** Keeps an end that was read in the caller's snapshot. */
  learn(conversation: number, logPosition: number, timestamp: number): void;
  /** Timestamp of the last event, milliseconds. */
  timestamp(conversation: number): number;
  /** Number of the newest change, of whatever conversation, that is neither an event nor a change of a member's row. */
  lastTouch(): number;
}

/**
 * Ends that the writer has not told of since the store was opened are read once and kept here. They are not kept in the
 * shared memory, because the writer may tell of a newer end in the meantime.
 */
export function createEndReads(database: DatabaseSync, ends: ConversationEnds): EndReads {
  const select = database.prepare(
    "SELECT position, timestamp FROM event WHERE conversation = ? ORDER BY seq DESC LIMIT 1",
  );
  const own = new ConversationEnds(ConversationEnds.allocate());

  function read(conversation: number): { readonly logPosition: number; readonly timestamp: number } {
    const row = select.get(conversation);
    const logPosition = (row?.["position"] ?? 0) as number;
    const timestamp = (row?.["timestamp"] ?? 0) as number;
    own.set(conversation, logPosition, timestamp);
    return { logPosition, timestamp };
  }

  return {
    logPosition: (conversation) =>
      ends.logPosition(conversation) || own.logPosition(conversation) || read(conversation).logPosition,
    timestamp: (conversation) =>
      ends.timestamp(conversation) || own.timestamp(conversation) || read(conversation).timestamp,
    learn: (conversation, logPosition, timestamp) => own.set(conversation, logPosition, timestamp),
    lastTouch: () => ends.lastTouch(),
  };
}
