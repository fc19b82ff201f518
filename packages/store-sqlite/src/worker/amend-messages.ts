import type { DatabaseSync } from "node:sqlite";
import type { Amendment, EventLog, EventRecord, OverlayStore } from "@chat21/engine";
import type { ChangeNumbers } from "./change-numbers.ts";
import type { ConversationEnds } from "./conversation-ends.ts";
import type { ConversationRows, KnownConversation } from "./conversation-rows.ts";
import { messageCode } from "./event-codes.ts";
import { StoreFailure } from "./failure.ts";

/** Overlays of messages on the connection that writes. */
export interface MessageAmendments {
  /** Throws `internal` unless each target is a message, in the log or among the events that come behind it. */
  requireTargets(
    known: KnownConversation | null,
    events: readonly EventRecord[],
    amendments: readonly Amendment[],
  ): void;
  /** Writes overlays of messages that are stored. */
  amend(conversation: number, amendments: readonly Amendment[]): void;
  /** See `OverlayStore.replace`. */
  replace(...args: Parameters<OverlayStore["replace"]>): boolean;
  /** See `EventLog.rewrite`. */
  rewrite(...args: Parameters<EventLog["rewrite"]>): number;
}

/** Parts of {@link createMessageAmendments}. */
export interface AmendmentParts {
  readonly database: DatabaseSync;
  readonly conversations: ConversationRows;
  readonly changes: ChangeNumbers;
  readonly ends: ConversationEnds;
}

function prepareStatements(database: DatabaseSync) {
  return {
    typeAt: database.prepare("SELECT type FROM event WHERE conversation = ? AND seq = ?"),
    put: database.prepare(
      `INSERT INTO overlay (conversation, seq, erased, overlay) VALUES (?, ?, ?, ?)
       ON CONFLICT (conversation, seq) DO UPDATE
       SET overlay = excluded.overlay, erased = max(erased, excluded.erased)`,
    ),
    eraseContent: database.prepare(
      `UPDATE event_content SET body = '{}', temp_uid = NULL
       WHERE position = (SELECT position FROM event WHERE conversation = ? AND seq = ?)`,
    ),
    rewriteContent: database.prepare(
      `UPDATE event_content SET body = :body
       WHERE position = (SELECT position FROM event WHERE conversation = :conversation AND seq = :seq)
         AND NOT EXISTS (SELECT 1 FROM overlay WHERE conversation = :conversation AND seq = :seq AND erased = 1)`,
    ),
    eraseEvent: database.prepare(
      "UPDATE event SET listed = 0, temp_hash = NULL WHERE conversation = ? AND seq = ?",
    ),
    // No event up to the floor is listed: lists and unread counts need not look there again.
    raiseFloor: database.prepare(
      `UPDATE conversation SET unlisted_to = ifnull((
         SELECT seq - 1 FROM event
         WHERE conversation = :id AND seq > (SELECT unlisted_to FROM conversation WHERE id = :id) AND listed = 1
         ORDER BY seq LIMIT 1
       ), (SELECT max(seq) FROM event WHERE conversation = :id)) WHERE id = :id`,
    ),
    dropErased: database.prepare("UPDATE overlay SET overlay = NULL WHERE conversation = ? AND erased = 1"),
    dropOthers: database.prepare("DELETE FROM overlay WHERE conversation = ? AND erased = 0"),
  };
}

/** Works inside the caller's transaction. */
export function createMessageAmendments(parts: AmendmentParts): MessageAmendments {
  const { conversations, changes, ends } = parts;
  const sql = prepareStatements(parts.database);

  function amend(conversation: number, amendments: readonly Amendment[]): void {
    let erases = false;
    for (const amendment of amendments) {
      const { seq } = amendment;
      sql.put.run(conversation, seq, amendment.erases ? 1 : 0, amendment.overlay);
      if (!amendment.erases) continue;
      erases = true;
      sql.eraseContent.run(conversation, seq);
      sql.eraseEvent.run(conversation, seq);
    }
    if (erases) sql.raiseFloor.run({ id: conversation });
  }

  const isStoredMessage = (conversation: number, seq: number) =>
    sql.typeAt.get(conversation, seq)?.["type"] === messageCode;

  return {
    requireTargets(known, events, amendments) {
      const head = known?.head ?? 0;
      for (const { seq } of amendments) {
        const isMessage =
          seq > head
            ? events[seq - 1 - head]?.type === "message"
            : known !== null && isStoredMessage(known.id, seq);
        if (!isMessage)
          throw new StoreFailure("internal", `an amendment names number ${seq}, which is no message`);
      }
    },
    amend,
    rewrite(app, name, bodies) {
      const found = conversations.find(app, name);
      if (found === null) return 0;
      const conversation = found.id;
      let replaced = 0;
      for (const { seq, body } of bodies)
        replaced += Number(sql.rewriteContent.run({ conversation, seq, body }).changes);
      // Readers that remember what a list shows of the conversation look again.
      if (replaced > 0) ends.touch(conversation, changes.nextSilent());
      return replaced;
    },
    replace({ app, conversation, expectedHead }, overlays) {
      const found = conversations.find(app, conversation);
      if (found === null || found.head !== expectedHead) return false;
      sql.dropErased.run(found.id);
      sql.dropOthers.run(found.id);
      amend(
        found.id,
        overlays.filter(({ seq }) => isStoredMessage(found.id, seq)),
      );
      // Readers that remember what a list shows of the conversation look again.
      ends.touch(found.id, changes.nextSilent());
      return true;
    },
  };
}
