import type { DatabaseSync } from "node:sqlite";
import type { DispatchRows } from "./dispatch-rows.ts";

/**
 * One sequence of numbers for all that changes: events take them as their log positions, patches of members' places as
 * change numbers. A number is given once, even when the transaction that took it is rolled back.
 */
export interface ChangeNumbers {
  last(): number;
  next(): number;
  /** The next number, for a change that is no event: there is nothing to dispatch at it. */
  nextSilent(): number;
  /** Closes the gap that a rollback has left. */
  reset(): void;
}

/** Goes on behind the last event and the last number that is marked as dispatched. */
export function createChangeNumbers(database: DatabaseSync, dispatch: DispatchRows): ChangeNumbers {
  const select = database.prepare("SELECT max(position) AS last FROM event_content");
  const lastEvent = () => Number(select.get()?.["last"] ?? 0);
  let last = Math.max(lastEvent(), dispatch.lastMarked());
  return {
    last: () => last,
    next() {
      last += 1;
      return last;
    },
    nextSilent() {
      last += 1;
      dispatch.markLogPositions(last, last);
      return last;
    },
    reset() {
      dispatch.markLogPositions(lastEvent() + 1, last);
    },
  };
}
