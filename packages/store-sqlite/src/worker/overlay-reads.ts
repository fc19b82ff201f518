import type { DatabaseSync } from "node:sqlite";
import type { ConversationOverlays, OverlayStore } from "@chat21/engine";
import type { ConversationIds } from "./conversation-ids.ts";
import { type EventNames, messageCode } from "./event-codes.ts";

/** Overlays, conversation by conversation. */
export interface OverlayReads {
  amended(...args: Parameters<OverlayStore["amended"]>): ConversationOverlays[];
}

function prepareStatements(database: DatabaseSync) {
  return {
    nextAmended: database.prepare(
      `SELECT conversation AS id FROM overlay WHERE conversation > ? AND overlay IS NOT NULL
       ORDER BY conversation LIMIT 1`,
    ),
    nextMessage: database.prepare(
      `SELECT conversation AS id FROM event WHERE conversation > ? AND type = ${messageCode}
       ORDER BY conversation LIMIT 1`,
    ),
    // The type is asked for twice: the index holds only events that are no messages.
    nextOther: database.prepare(
      `SELECT conversation AS id FROM event WHERE conversation > ? AND type = ? AND type <> 0
       ORDER BY conversation LIMIT 1`,
    ),
    facts: database.prepare(
      `SELECT app, name, (SELECT max(seq) FROM event WHERE conversation = c.id) AS head
       FROM conversation c WHERE id = ?`,
    ),
    overlays: database.prepare(
      "SELECT seq, overlay FROM overlay WHERE conversation = ? AND overlay IS NOT NULL ORDER BY seq",
    ),
  };
}

/** Works inside the caller's snapshot. Conversations come in the order in which they were made. */
export function createOverlayReads(
  database: DatabaseSync,
  ids: ConversationIds,
  names: EventNames,
): OverlayReads {
  const sql = prepareStatements(database);

  function nextAfter(id: number, codes: readonly number[]): number {
    const found = codes.map((code) =>
      code === messageCode ? sql.nextMessage.get(id) : sql.nextOther.get(id, code),
    );
    found.push(sql.nextAmended.get(id));
    return Math.min(
      ...found.map((row) => (row === undefined ? Number.POSITIVE_INFINITY : (row["id"] as number))),
    );
  }

  function overlaysOf(id: number): ConversationOverlays {
    const facts = sql.facts.get(id);
    return {
      app: facts?.["app"] as string,
      conversation: facts?.["name"] as string,
      head: (facts?.["head"] ?? 0) as number,
      overlays: sql.overlays
        .all(id)
        .map(({ seq, overlay }) => ({ seq: seq as number, overlay: overlay as string })),
    };
  }

  return {
    amended(types, limit, after) {
      const codes = names.knownCodesOf(types);
      const found: ConversationOverlays[] = [];
      let id = after === undefined ? 0 : (ids.find(after.app, after.conversation) ?? 0);
      while (found.length < limit) {
        id = nextAfter(id, codes);
        if (id === Number.POSITIVE_INFINITY) break;
        found.push(overlaysOf(id));
      }
      return found;
    },
  };
}
