import type { DatabaseSync } from "node:sqlite";
import type { EventCodes } from "@chat21/protocol";
import { StoreFailure } from "./failure.ts";

/** The row of `meta` that holds every kind of event that the database was ever opened with, as JSON. */
const kindsRow = "kinds";

/** Refuses a database with kinds that this program lacks, and writes down those that the program brings. */
export function rememberKinds(database: DatabaseSync, path: string, kinds: EventCodes): void {
  const row = database.prepare("SELECT value FROM meta WHERE name = ?").get(kindsRow);
  const stored = JSON.parse((row?.["value"] as string | undefined) ?? "{}") as EventCodes;
  for (const [type, code] of Object.entries(stored)) {
    if (kinds[type] === code) continue;
    throw new StoreFailure(
      "internal",
      `the database ${path} holds events of the kind ${type} (code ${code}), which this version does not know: ` +
        "use the version that wrote it",
    );
  }
  const all = JSON.stringify({ ...stored, ...kinds });
  if (all === row?.["value"]) return;
  database
    .prepare(
      "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )
    .run(kindsRow, all);
}
