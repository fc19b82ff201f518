import type { DatabaseSync } from "node:sqlite";
import { RecentMap } from "./recent-map.ts";

/** How many ids stay in memory; each costs about 150 bytes. */
const remembered = 20_000;

/** Numbers of accounts (app, user): everybody who wrote, is a member or was present. A number is never given again. */
export interface Accounts {
  /** `null` for somebody who has none yet. */
  find(app: string, name: string): number | null;
  /** The account's number, made when there is none. Only on the connection that writes. */
  intern(app: string, name: string): number;
  /** Forgets numbers that a rollback may have undone. */
  reset(): void;
}

/** The numbers as one connection sees them. */
export function createAccounts(database: DatabaseSync): Accounts {
  const select = database.prepare("SELECT id FROM account WHERE app = ? AND name = ?");
  const insert = database.prepare("INSERT INTO account (app, name) VALUES (?, ?)");
  const known = new RecentMap<string, number>(remembered);
  const find = (app: string, name: string) => {
    const key = `${app}\n${name}`;
    const cached = known.get(key);
    if (cached !== undefined) return cached;
    const row = select.get(app, name);
    if (row === undefined) return null;
    const id = Number(row["id"]);
    known.set(key, id);
    return id;
  };
  return {
    find,
    intern(app, name) {
      const found = find(app, name);
      if (found !== null) return found;
      const id = Number(insert.run(app, name).lastInsertRowid);
      known.set(`${app}\n${name}`, id);
      return id;
    },
    reset: () => known.clear(),
  };
}
