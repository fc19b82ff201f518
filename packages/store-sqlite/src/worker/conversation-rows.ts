import type { DatabaseSync } from "node:sqlite";
import type { GroupRecord, Run } from "@chat21/engine";
import { RecentMap } from "./recent-map.ts";

/** How many conversations the writer keeps in memory; each costs about 250 bytes. */
const remembered = 20_000;

/** A conversation as the writer keeps it in memory. */
export interface KnownConversation {
  readonly id: number;
  head: number;
  transient: boolean;
  kind: Run["kind"];
}

/** The rows of conversations on the writing connection. */
export interface ConversationRows {
  find(app: string, name: string): KnownConversation | null;
  /** Inserts a conversation without events. */
  create(app: string, name: string, kind: Run["kind"], transient: boolean): KnownConversation;
  /** Writes the facts that differ; `undefined` leaves the group as it is. */
  update(known: KnownConversation, kind: Run["kind"], transient: boolean, group: Run["group"]): void;
  /** Forgets changes that a rollback may have undone. */
  reset(): void;
}

function groupColumns(group: GroupRecord | null) {
  if (group === null) return [null, null, null, null, null];
  return [group.name, group.owner, group.createdOn, group.updatedOn, group.attributes];
}

/** Works on the connection that writes; nobody else changes a head, so that it may be kept in memory. */
export function createConversationRows(database: DatabaseSync): ConversationRows {
  const select = database.prepare(
    `SELECT id, kind, transient, ifnull((SELECT max(seq) FROM event WHERE conversation = c.id), 0) AS head
     FROM conversation c WHERE app = ? AND name = ?`,
  );
  const insert = database.prepare(
    "INSERT INTO conversation (app, name, kind, transient) VALUES (?, ?, ?, ?)",
  );
  const setFacts = database.prepare("UPDATE conversation SET kind = ?, transient = ? WHERE id = ?");
  const setGroup = database.prepare(
    `UPDATE conversation SET group_name = ?, group_owner = ?, group_created_on = ?, group_updated_on = ?,
       group_attributes = ? WHERE id = ?`,
  );
  const known = new RecentMap<string, KnownConversation>(remembered);
  return {
    find(app, name) {
      const key = `${app}\n${name}`;
      const cached = known.get(key);
      if (cached !== undefined) return cached;
      const row = select.get(app, name);
      if (row === undefined) return null;
      const { id, kind, transient, head } = row;
      const found = {
        id: Number(id),
        head: Number(head),
        transient: transient === 1,
        kind: kind as Run["kind"],
      };
      known.set(key, found);
      return found;
    },
    create(app, name, kind, transient) {
      const id = Number(insert.run(app, name, kind, transient ? 1 : 0).lastInsertRowid);
      const made = { id, head: 0, transient, kind };
      known.set(`${app}\n${name}`, made);
      return made;
    },
    update(found, kind, transient, group) {
      if (found.kind !== kind || found.transient !== transient) {
        setFacts.run(kind, transient ? 1 : 0, found.id);
        found.kind = kind;
        found.transient = transient;
      }
      if (group !== undefined) setGroup.run(...groupColumns(group), found.id);
    },
    reset: () => known.clear(),
  };
}
