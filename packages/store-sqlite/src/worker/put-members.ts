import type { DatabaseSync } from "node:sqlite";
import type { Interval, MemberRecord } from "@chat21/engine";
import type { Accounts } from "./accounts.ts";
import { toIntervals } from "./member-rows.ts";

/** Whether the intervals stay the same, except that the last one may end: no earlier number comes into sight. */
function onlyEnds(before: readonly Interval[], now: readonly Interval[]): boolean {
  if (before.length !== now.length) return false;
  return now.every(([from, to], index) => {
    const old = before[index];
    return old?.[0] === from && (old[1] === to || (index === now.length - 1 && old[1] === null));
  });
}

/** Inserts or replaces members inside the caller's transaction; `change` is the number of the run's first event. */
export type PutMembers = (
  app: string,
  conversation: number,
  members: readonly MemberRecord[],
  change: number,
  areAllNew: boolean,
) => void;

export function createPutMembers(database: DatabaseSync, accounts: Accounts): PutMembers {
  const lastOrdinal = database.prepare("SELECT max(ordinal) AS last FROM member WHERE conversation = ?");
  const known = database.prepare(
    "SELECT intervals, widened FROM member WHERE account = ? AND conversation = ?",
  );
  const put = database.prepare(
    `INSERT INTO member (account, conversation, ordinal, role, intervals, changed, widened)
     VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (account, conversation) DO UPDATE SET role = excluded.role, intervals = excluded.intervals,
       changed = excluded.changed, widened = excluded.widened`,
  );

  function widenedBy(
    account: number,
    conversation: number,
    intervals: readonly Interval[],
    change: number,
  ): number {
    const row = known.get(account, conversation);
    return row !== undefined && onlyEnds(toIntervals(row), intervals) ? (row["widened"] as number) : change;
  }

  return (app, conversation, members, change, areAllNew) => {
    let ordinal = Number(lastOrdinal.get(conversation)?.["last"] ?? 0);
    for (const { user, role, intervals } of members) {
      ordinal += 1;
      const account = accounts.intern(app, user);
      const widened = areAllNew ? change : widenedBy(account, conversation, intervals, change);
      put.run(account, conversation, ordinal, role, JSON.stringify(intervals), change, widened);
    }
  };
}
