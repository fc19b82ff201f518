import { DatabaseSync } from "node:sqlite";
import { migrations } from "./migrations.ts";

/**
 * The first part of a database's schema that Chat21's own schema of this version has not, or that is missing: `trigger
 * copy_out`; `undefined`: it is the same, word by word. A backup may come from anybody, and its triggers, views and
 * expressions would run with every commit.
 */
export function foreignPart(database: DatabaseSync, version: number): string | undefined {
  const own = new DatabaseSync(":memory:");
  try {
    for (const migration of migrations.slice(0, version)) own.exec(migration);
    const [found, known] = [partsOf(database), partsOf(own)];
    const foreign = [...found].find(([name, text]) => known.get(name) !== text);
    const missing = [...known.keys()].find((name) => !found.has(name));
    return foreign?.[0] ?? missing;
  } finally {
    own.close();
  }
}

/** What the schema holds, by kind and name. SQLite's own parts (`sqlite_sequence`, statistics) come from the others. */
function partsOf(database: DatabaseSync): ReadonlyMap<string, string> {
  const rows = database
    .prepare("SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'")
    .all();
  return new Map(rows.map(({ type, name, sql }) => [`${String(type)} ${String(name)}`, String(sql)]));
}
