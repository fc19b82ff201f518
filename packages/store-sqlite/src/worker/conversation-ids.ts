import type { DatabaseSync } from "node:sqlite";
import { RecentMap } from "./recent-map.ts";

/** How many ids stay in memory; each costs about 200 bytes. */
const remembered = 20_000;

/** Numbers of conversations on the connection that reads. They never change, so they may be kept. */
export interface ConversationIds {
  find(app: string, name: string): number | null;
}

/** The numbers as one connection sees them. */
export function createConversationIds(database: DatabaseSync): ConversationIds {
  const select = database.prepare("SELECT id FROM conversation WHERE app = ? AND name = ?");
  const known = new RecentMap<string, number>(remembered);
  return {
    find(app, name) {
      const key = `${app}\n${name}`;
      const cached = known.get(key);
      if (cached !== undefined) return cached;
      const row = select.get(app, name);
      if (row === undefined) return null;
      known.set(key, row["id"] as number);
      return row["id"] as number;
    },
  };
}
