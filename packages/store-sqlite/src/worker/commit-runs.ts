import type { DatabaseSync } from "node:sqlite";
import type { EventRecord, MemberRecord } from "@chat21/engine";
import { decodeEvents, type EncodedRun, type EncodedRunResult } from "../run-codec.ts";
import type { Accounts } from "./accounts.ts";
import type { ConversationRows, KnownConversation } from "./conversation-rows.ts";
import { selectLoggedEvent, toLoggedEventRecord } from "./event-rows.ts";
import { eventTypeCodes } from "./event-type-codes.ts";
import { StoreFailure } from "./failure.ts";
import { nameHash } from "./name-hash.ts";

/** What {@link createCommitRuns} works on. */
export interface CommitParts {
  readonly database: DatabaseSync;
  readonly accounts: Accounts;
  readonly conversations: ConversationRows;
  /** Takes the next position of the log. */
  readonly nextPosition: () => number;
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
    lastOrdinal: database.prepare("SELECT max(ordinal) AS last FROM member WHERE conversation = ?"),
    putMember: database.prepare(
      `INSERT INTO member (account, conversation, ordinal, role, intervals) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (account, conversation) DO UPDATE SET role = excluded.role, intervals = excluded.intervals`,
    ),
  };
}

/**
 * Stores runs inside the caller's transaction. Everything that may be refused is looked at before the first insert of
 * a run, so that a run needs no savepoint.
 */
export function createCommitRuns(parts: CommitParts): (runs: readonly EncodedRun[]) => EncodedRunResult[] {
  const { accounts, conversations, nextPosition } = parts;
  const sql = prepareStatements(parts.database);

  /** The very same run once more, after an answer that got lost. */
  function isStored(found: KnownConversation, events: readonly EventRecord[]): boolean {
    return events.every(({ seq, messageId }) => {
      return seq <= found.head && sql.messageIdAt.get(found.id, seq)?.["message_id"] === messageId;
    });
  }

  function findHolder({ app, sender, clientMessageId }: EventRecord): EventRecord | null {
    const account = accounts.find(app, sender);
    const row = account === null ? undefined : sql.holder.get(account, clientMessageId);
    return row === undefined ? null : toLoggedEventRecord(row);
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

  function putMembers(app: string, conversation: number, members: readonly MemberRecord[]): void {
    let ordinal = Number(sql.lastOrdinal.get(conversation)?.["last"] ?? 0);
    for (const { user, role, intervals } of members) {
      ordinal += 1;
      sql.putMember.run(accounts.intern(app, user), conversation, ordinal, role, JSON.stringify(intervals));
    }
  }

  function append(conversation: number, event: EventRecord): void {
    const { app, seq, messageId, tempUid, hiddenFor } = event;
    const position = nextPosition();
    const sender = accounts.intern(app, event.sender);
    sql.insertEvent.run(
      conversation,
      seq,
      position,
      event.timestamp,
      sender,
      eventTypeCodes[event.type],
      event.listed ? 1 : 0,
      hiddenFor === null ? null : accounts.intern(app, hiddenFor),
      nameHash(messageId),
      tempUid === null ? null : nameHash(tempUid),
    );
    const { clientMessageId, committedAt, body } = event;
    sql.insertContent.run(
      position,
      conversation,
      seq,
      sender,
      messageId,
      clientMessageId,
      tempUid,
      committedAt,
      body,
    );
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
    const found = known ?? conversations.create(app, conversation, kind, transient);
    conversations.update(found, kind, transient, group);
    if (members !== undefined) putMembers(app, found.id, members);
    for (const event of events) append(found.id, event);
    found.head = expectedHead + events.length;
    return events.length;
  }

  return (runs) => runs.map(commitRun);
}
