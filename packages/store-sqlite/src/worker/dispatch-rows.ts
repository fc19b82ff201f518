import type { DatabaseSync } from "node:sqlite";
import type { CommittedOutside, EventRecord } from "@chat21/engine";
import type { ConversationRows } from "./conversation-rows.ts";
import { DispatchLog, dispatchedRow } from "./dispatch-log.ts";
import { type EventRows, selectLoggedEvent } from "./event-rows.ts";

/** Ranges of numbers that were dispatched: app, conversation, first and last number, and again. */
export type EncodedMarks = readonly (string | number)[];

/** The marks on the connection that writes. */
export interface DispatchRows {
  /** Takes marks into memory; they count for {@link undispatched} from now on. */
  mark(marks: EncodedMarks): void;
  /** Marks log positions, and numbers that no event has. */
  markLogPositions(from: number, to: number): void;
  /** The highest number that is marked. */
  lastMarked(): number;
  /** Writes the changes, inside the caller's transaction. */
  save(): void;
  /** The last save may have been undone: the next {@link save} writes it again. */
  reset(): void;
  /** `of`: only those of one conversation. */
  undispatched(
    limit: number,
    committed: number | CommittedOutside,
    of?: { readonly app: string; readonly conversation: string },
  ): EventRecord[];
}

function outside(committed: number | CommittedOutside): readonly [number, number] {
  return typeof committed === "number"
    ? [committed, Number.MAX_SAFE_INTEGER]
    : [committed.before, committed.after];
}

/** Works on the connection that writes. `last`: the newest number that was given. */
export function createDispatchRows(
  database: DatabaseSync,
  conversations: ConversationRows,
  { toLoggedEventRecord }: EventRows,
  last: () => number,
): DispatchRows {
  const stored = database.prepare("SELECT value FROM meta WHERE name = ?").get(dispatchedRow);
  const log = DispatchLog.parse(stored?.["value"] as string | undefined);
  const logPositions = database.prepare(
    "SELECT position FROM event WHERE conversation = ? AND seq BETWEEN ? AND ? ORDER BY seq",
  );
  const put = database.prepare(
    "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
  );
  const read = database.prepare(
    `${selectLoggedEvent} WHERE c.position BETWEEN ? AND ? AND (c.committed_at < ? OR c.committed_at > ?)
     ORDER BY c.position LIMIT ?`,
  );
  const newest = database.prepare("SELECT position FROM event WHERE conversation = ? ORDER BY seq DESC");
  let changed = false;

  /** A conversation's positions ascend with its numbers: the walk from its end stops where all were dispatched. */
  function openLogPositionsOf(conversation: number): number[] {
    const logPositions: number[] = [];
    for (const row of newest.iterate(conversation)) {
      const logPosition = row["position"] as number;
      if (logPosition <= log.cursor) break;
      if (!log.has(logPosition)) logPositions.push(logPosition);
    }
    return logPositions.reverse();
  }

  function undispatchedOf(
    conversation: number,
    limit: number,
    times: readonly [number, number],
  ): EventRecord[] {
    const events: EventRecord[] = [];
    for (const logPosition of openLogPositionsOf(conversation)) {
      if (events.length >= limit) break;
      for (const row of read.all(logPosition, logPosition, ...times, 1))
        events.push(toLoggedEventRecord(row));
    }
    return events;
  }

  return {
    mark(marks) {
      for (let at = 0; at < marks.length; at += 4) {
        const [app, name, first, last] = marks.slice(at, at + 4) as [string, string, number, number];
        const found = conversations.find(app, name);
        if (found === null) continue;
        for (const row of logPositions.iterate(found.id, first, last)) {
          log.mark(row["position"] as number, row["position"] as number);
          changed = true;
        }
      }
    },
    markLogPositions(from, to) {
      if (from > to) return;
      log.mark(from, to);
      changed = true;
    },
    lastMarked: () => log.last,
    save() {
      if (!changed) return;
      put.run(dispatchedRow, log.serialize());
      changed = false;
    },
    reset() {
      changed = true;
    },
    undispatched(limit, committed, of) {
      const times = outside(committed);
      if (of !== undefined) {
        const found = conversations.find(of.app, of.conversation);
        return found === null ? [] : undispatchedOf(found.id, limit, times);
      }
      const events: EventRecord[] = [];
      for (const [from, to] of log.open(last())) {
        if (events.length >= limit) break;
        const rows = read.all(from, to, ...times, limit - events.length);
        for (const row of rows) events.push(toLoggedEventRecord(row));
      }
      return events;
    },
  };
}
