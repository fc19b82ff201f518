import type { DatabaseSync } from "node:sqlite";
import type { Interval, MemberPatch, MemberState } from "@chat21/engine";
import type { Accounts } from "./accounts.ts";
import type { ChangeNumbers } from "./change-numbers.ts";
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

/** The intervals that nearly every member has. */
const fromTheBeginning: readonly Interval[] = [[1, null]];

/** The intervals of a row's column `intervals`. */
export function toIntervals(row: Row): readonly Interval[] {
  const text = row["intervals"] as string;
  return text === "[[1,null]]" ? fromTheBeginning : (JSON.parse(text) as Interval[]);
}

/** Parts of {@link createPatchMembers}. */
export interface PatchParts {
  readonly database: DatabaseSync;
  readonly accounts: Accounts;
  readonly conversations: ConversationRows;
  readonly changes: ChangeNumbers;
}

/** The place after a patch. Watermarks move forward only, and nothing lies past the head. */
function patched(state: MemberState, patch: MemberPatch, head: number): MemberState {
  const forward = (now: number, next: number | undefined) => Math.max(now, Math.min(next ?? 0, head));
  const archivedAt = patch.archivedAt === undefined ? state.archivedAt : patch.archivedAt;
  return {
    delivered: forward(state.delivered, patch.delivered),
    read: forward(state.read, patch.read),
    archivedAt: archivedAt === null ? null : Math.min(archivedAt, head),
    markedUnread: patch.markedUnread ?? (patch.read === undefined && state.markedUnread),
    clearedAt: forward(state.clearedAt, patch.clearedAt),
  };
}

function isSame(a: MemberState, b: MemberState): boolean {
  return (
    a.delivered === b.delivered &&
    a.read === b.read &&
    a.archivedAt === b.archivedAt &&
    a.markedUnread === b.markedUnread &&
    a.clearedAt === b.clearedAt
  );
}

/** Moves members' places inside the caller's transaction. A patch that moves nothing writes nothing. */
export function createPatchMembers(
  parts: PatchParts,
): (patches: readonly MemberPatch[]) => (MemberState | null)[] {
  const { database, accounts, conversations, changes } = parts;
  const select = database.prepare(
    `SELECT ${memberStateColumns} FROM member WHERE account = ? AND conversation = ?`,
  );
  const update = database.prepare(
    `UPDATE member SET delivered = ?, read = ?, archived_at = ?, marked_unread = ?, cleared_at = ?, changed = ?
     WHERE account = ? AND conversation = ?`,
  );
  // Both people of a direct conversation see each other's watermarks.
  const tellOther = database.prepare("UPDATE member SET changed = ? WHERE conversation = ? AND account <> ?");

  function patchMember(patch: MemberPatch): MemberState | null {
    const found = conversations.find(patch.app, patch.conversation);
    const account = accounts.find(patch.app, patch.user);
    const row = found === null || account === null ? undefined : select.get(account, found.id);
    if (found === null || account === null || row === undefined) return null;
    const state = toMemberState(row);
    const next = patched(state, patch, found.head);
    if (isSame(state, next)) return state;
    const change = changes.nextSilent();
    const { delivered, read, archivedAt, markedUnread, clearedAt } = next;
    update.run(delivered, read, archivedAt, markedUnread ? 1 : 0, clearedAt, change, account, found.id);
    if (found.kind === "direct") tellOther.run(change, found.id, account);
    return next;
  }

  return (patches) => patches.map(patchMember);
}
