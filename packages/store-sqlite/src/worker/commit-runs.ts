import type { DatabaseSync } from "node:sqlite";
import type { EventRecord } from "@chat21/engine";
import { decodeEvents, type EncodedRun, type EncodedRunResult } from "../run-codec.ts";
import type { Accounts } from "./accounts.ts";
import type { MessageAmendments } from "./amend-messages.ts";
import type { ChangeNumbers } from "./change-numbers.ts";
import type { ConversationEnds } from "./conversation-ends.ts";
import type { ConversationRows, KnownConversation } from "./conversation-rows.ts";
import type { EventNames } from "./event-codes.ts";
import { type EventRows, selectLoggedEvent } from "./event-rows.ts";
import { StoreFailure } from "./failure.ts";
import { nameHash } from "./name-hash.ts";
import { createPutMembers } from "./put-members.ts";

/** Parts of {@link createCommitRuns}. */
export interface CommitParts {
  readonly database: DatabaseSync;
  readonly accounts: Accounts;
  readonly conversations: ConversationRows;
  readonly names: EventNames;
  readonly rows: EventRows;
  readonly changes: ChangeNumbers;
  readonly amendments: MessageAmendments;
  readonly ends: ConversationEnds;
}

function prepareStatements(database: DatabaseSync) {
  return {
    holder: database.prepare(`${selectLoggedEvent} WHERE c.sender = ? AND c.client_message_id = ?`),
    messageIdAt: database.prepare(
      `SELECT c.message_id FROM event e JOIN event_content c ON c.position = e.position
       WHERE e.conversation = ? AND e.seq = ?`,
    ),
    insertEvent: database.prepare(
      `INSERT INTO event (conversation, seq, position, timestamp, sender, type, listed, hidden_for, message_hash,
         temp_hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    insertContent: database.prepare(
      `INSERT INTO event_content (position, conversation, seq, sender, message_id, client_message_id, temp_uid,
         committed_at, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
  };
}

/**
 * Stores runs inside the caller's transaction. All checks that may refuse a run come before its first insert, so that a
 * run needs no savepoint.
 */
export function createCommitRuns(parts: CommitParts): (runs: readonly EncodedRun[]) => EncodedRunResult[] {
  const { accounts, conversations, names, rows, changes, amendments, ends } = parts;
  const sql = prepareStatements(parts.database);
  const putMembers = createPutMembers(parts.database, accounts);

  /** Whether the very same run came once more, after its answer got lost. */
  function isStored(found: KnownConversation, events: readonly EventRecord[]): boolean {
    return events.every(({ seq, messageId }) => {
      return seq <= found.head && sql.messageIdAt.get(found.id, seq)?.["message_id"] === messageId;
    });
  }

  function findHolder({ app, sender, clientMessageId }: EventRecord): EventRecord | null {
    const account = accounts.find(app, sender);
    const row = account === null ? undefined : sql.holder.get(account, clientMessageId);
    return row === undefined ? null : rows.toLoggedEventRecord(row);
  }

  function findRepeat(events: readonly EventRecord[]): EncodedRunResult | null {
    const own = new Map<string, EventRecord>();
    for (const [index, event] of events.entries()) {
      if (event.clientMessageId === null) continue;
      const key = `${event.sender}\n${event.clientMessageId}`;
      const existing = findHolder(event) ?? own.get(key);
      if (existing !== undefined) return [index, existing];
      own.set(key, event);
    }
    return null;
  }

  /** Answers the event's log position. */
  function append(conversation: number, event: EventRecord): number {
    const { app, seq, messageId, tempUid, hiddenFor } = event;
    const logPosition = changes.next();
    const sender = accounts.intern(app, event.sender);
    sql.insertEvent.run(
      conversation,
      seq,
      logPosition,
      event.timestamp,
      sender,
      names.codeOf(event.type),
      event.listed ? 1 : 0,
      hiddenFor === null ? null : accounts.intern(app, hiddenFor),
      nameHash(messageId),
      tempUid === null ? null : nameHash(tempUid),
    );
    const { clientMessageId, committedAt, body } = event;
    sql.insertContent.run(
      logPosition,
      conversation,
      seq,
      sender,
      messageId,
      clientMessageId,
      tempUid,
      committedAt,
      body,
    );
    return logPosition;
  }

  function commitRun(run: EncodedRun): EncodedRunResult {
    const { app, conversation, expectedHead, kind, transient, group, members } = run;
    const events = decodeEvents(run);
    if (events.length === 0) throw new StoreFailure("internal", "a run needs at least one event");
    const known = conversations.find(app, conversation);
    if (known !== null && known.head > expectedHead && isStored(known, events)) return events.length;
    const repeat = findRepeat(events);
    if (repeat !== null) return repeat;
    if ((known?.head ?? 0) !== expectedHead) return 0;
    if (run.amendments !== undefined) amendments.requireTargets(known, events, run.amendments);
    const found = known ?? conversations.create(app, conversation, kind, transient);
    conversations.update(found, kind, transient, group);
    if (members !== undefined) putMembers(app, found.id, members, changes.last() + 1, known === null);
    let logPosition = 0;
    for (const event of events) logPosition = append(found.id, event);
    if (run.amendments !== undefined) amendments.amend(found.id, run.amendments);
    found.head = expectedHead + events.length;
    ends.set(found.id, logPosition, events.at(-1)?.timestamp ?? 0);
    return events.length;
  }

  return (runs) => runs.map(commitRun);
}
