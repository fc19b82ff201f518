import type { DatabaseSync } from "node:sqlite";
import type { ConversationEnds } from "./conversation-ends.ts";

/** Ends of conversations on the connection that reads: at least as far as the snapshot goes. */
export interface EndReads {
  /** Log position of the last event. */
  logPosition(conversation: number): number;
  /** Timestamp of the last event, milliseconds. */
  timestamp(conversation: number): number;
}

/**
 * Ends that the writer has not told of since the store was opened are read once and kept here. They are not kept in the
 * shared memory, because the writer may tell of a newer end in the meantime.
 */
export function createEndReads(database: DatabaseSync, ends: ConversationEnds): EndReads {
  const select = database.prepare(
    "SELECT position, timestamp FROM event WHERE conversation = ? ORDER BY seq DESC LIMIT 1",
  );
  let logPositions = new Float64Array(0);
  let timestamps = new Float64Array(0);

  function reserve(conversation: number): void {
    const size = Math.max(4_096, 2 ** Math.ceil(Math.log2(conversation + 1)));
    const [oldLogPositions, oldTimestamps] = [logPositions, timestamps];
    logPositions = new Float64Array(size);
    timestamps = new Float64Array(size);
    logPositions.set(oldLogPositions);
    timestamps.set(oldTimestamps);
  }

  function fill(conversation: number): void {
    if (conversation >= logPositions.length) reserve(conversation);
    const row = select.get(conversation);
    logPositions[conversation] = (row?.["position"] ?? 0) as number;
    timestamps[conversation] = (row?.["timestamp"] ?? 0) as number;
  }

  function own(kept: () => Float64Array, conversation: number): number {
    const known = kept()[conversation];
    if (known !== undefined && known > 0 && ends.holds(conversation)) return known;
    fill(conversation);
    return kept()[conversation] ?? 0;
  }

  return {
    logPosition: (conversation) => ends.logPosition(conversation) || own(() => logPositions, conversation),
    timestamp: (conversation) => ends.timestamp(conversation) || own(() => timestamps, conversation),
  };
}
