import type { DatabaseSync } from "node:sqlite";
import type { Accounts } from "./accounts.ts";
import type { ConversationRows } from "./conversation-rows.ts";
import type { Row } from "./event-rows.ts";
import { eventTypeCodes } from "./event-type-codes.ts";

/** What to erase. */
export interface ErasureScope {
  readonly app: string;
  readonly conversation: string | null;
  readonly sender: string | null;
}

/**
 * Numbers looked at in one transaction. Measured: 5,000 take 2 to 5 ms where nothing matches and 40 ms where all of
 * them do; commits wait that long at most.
 */
const stepSize = 5_000;

/** Where an erasure stands: the answer of each step is the place of the next one, `null` at the end. */
export interface ErasureProgress {
  readonly erased: number;
  readonly next: number | null;
}

/** What {@link createEraseEvents} works on. */
export interface ErasureParts {
  readonly database: DatabaseSync;
  readonly accounts: Accounts;
  readonly conversations: ConversationRows;
  /** The last position of the log. */
  readonly lastPosition: () => number;
}

/** Erases step by step, each inside the caller's transaction. Begin with `from` 1. */
export function createEraseEvents(
  parts: ErasureParts,
): (scope: ErasureScope, from: number) => ErasureProgress {
  const { database, accounts, conversations, lastPosition } = parts;
  const inConversation = database.prepare(
    `SELECT position, conversation, seq FROM event
     WHERE conversation = ? AND seq BETWEEN ? AND ? AND type = ${eventTypeCodes.message} AND ifnull(sender = ?, 1)`,
  );
  const inLog = database.prepare(
    `SELECT c.position, c.conversation, c.seq FROM event_content c
     JOIN event e ON e.conversation = c.conversation AND e.seq = c.seq
     WHERE c.position BETWEEN ? AND ? AND c.sender = ? AND e.type = ${eventTypeCodes.message}`,
  );
  const raiseFloor = database.prepare(
    "UPDATE conversation SET unlisted_to = max(unlisted_to, ?) WHERE id = ?",
  );
  const eraseContent = database.prepare(
    "UPDATE event_content SET body = '{}', temp_uid = NULL WHERE position = ?",
  );
  const eraseEvent = database.prepare(
    `UPDATE event SET type = ${eventTypeCodes.erased}, listed = 0, temp_hash = NULL WHERE conversation = ? AND seq = ?`,
  );

  function eraseRows(rows: readonly Row[], to: number, last: number): ErasureProgress {
    for (const row of rows) {
      eraseContent.run(row["position"] as number);
      eraseEvent.run(row["conversation"] as number, row["seq"] as number);
    }
    return { erased: rows.length, next: to < last ? to + 1 : null };
  }

  return ({ app, conversation, sender }, from) => {
    const to = from + stepSize - 1;
    const account = sender === null ? null : accounts.find(app, sender);
    if (sender !== null && account === null) return { erased: 0, next: null };
    if (conversation === null) return eraseRows(inLog.all(from, to, account), to, lastPosition());
    const found = conversations.find(app, conversation);
    if (found === null) return { erased: 0, next: null };
    // Nothing is listed below a stretch that is erased as a whole: lists need not look there again.
    if (account === null) raiseFloor.run(Math.min(to, found.head), found.id);
    return eraseRows(inConversation.all(found.id, from, to, account), to, found.head);
  };
}
