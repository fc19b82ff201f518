import type { DatabaseSync } from "node:sqlite";
import type { Interval, MemberPatch, MemberState } from "@chat21/engine";
import type { Accounts } from "./accounts.ts";
import type { ConversationRows } from "./conversation-rows.ts";
import type { Row } from "./event-rows.ts";

/** Columns of {@link toMemberState}. */
export const memberStateColumns = "delivered, read, archived_at, marked_unread, cleared_at";

/** The member's place in a row of {@link memberStateColumns}. */
export function toMemberState(row: Row): MemberState {
  return {
    delivered: row["delivered"] as number,
    read: row["read"] as number,
    archivedAt: row["archived_at"] as number | null,
    markedUnread: row["marked_unread"] === 1,
    clearedAt: row["cleared_at"] as number,
  };
}

/** The intervals of a row's column `intervals`. */
export function toIntervals(row: Row): readonly Interval[] {
  return JSON.parse(row["intervals"] as string) as Interval[];
}

/** Moves members' places inside the caller's transaction. */
export function createPatchMembers(
  database: DatabaseSync,
  accounts: Accounts,
  conversations: ConversationRows,
): (patches: readonly MemberPatch[]) => (MemberState | null)[] {
  // Each pair says whether the field is given, and its value.
  const update = database.prepare(
    `UPDATE member SET
       delivered = max(delivered, min(:delivered, :head)),
       read = max(read, min(:read, :head)),
       archived_at = CASE :archiveGiven WHEN 0 THEN archived_at ELSE min(:archivedAt, :head) END,
       marked_unread = coalesce(:markedUnread, CASE :read WHEN -1 THEN marked_unread ELSE 0 END),
       cleared_at = max(cleared_at, min(:clearedAt, :head))
     WHERE account = :account AND conversation = :conversation
     RETURNING ${memberStateColumns}`,
  );
  return (patches) =>
    patches.map((patch) => {
      const found = conversations.find(patch.app, patch.conversation);
      const account = accounts.find(patch.app, patch.user);
      if (found === null || account === null) return null;
      const { archivedAt, markedUnread } = patch;
      const row = update.get({
        account,
        conversation: found.id,
        head: found.head,
        delivered: patch.delivered ?? -1,
        read: patch.read ?? -1,
        archiveGiven: archivedAt === undefined ? 0 : 1,
        archivedAt: archivedAt ?? null,
        markedUnread: markedUnread === undefined ? null : Number(markedUnread),
        clearedAt: patch.clearedAt ?? -1,
      });
      return row === undefined ? null : toMemberState(row);
    });
}
