import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { EventLog, OverlayStore } from "@chat21/engine";
import { ChatError, type EventCodes, eventCodes } from "@chat21/protocol";
import { toChatError } from "./sqlite-failure.ts";
import { createAccounts } from "./worker/accounts.ts";
import { openForReading, requireKnownSchema } from "./worker/connection.ts";
import { createConversationIds } from "./worker/conversation-ids.ts";
import { createEventNames } from "./worker/event-codes.ts";
import { createEventReads } from "./worker/event-reads.ts";
import { createEventRows } from "./worker/event-rows.ts";
import { schemaVersion } from "./worker/migrations.ts";
import { createOverlayReads } from "./worker/overlay-reads.ts";

/** The part of a database that can be read beside the server that uses it. */
export interface SqliteLog {
  readonly events: Pick<EventLog, "read">;
  readonly overlays: Pick<OverlayStore, "amended">;
  close(): void;
}

/**
 * Opens the logs and overlays of a database for reading; a server may use it meanwhile. Takes no lock and changes
 * nothing. Reads block the calling thread. `null` for a database of an older schema, which the next start of a server
 * migrates. Throws `not_found` without a database.
 */
export function readSqlite(path: string, kinds: EventCodes = eventCodes): SqliteLog | null {
  const file = resolve(path);
  if (!existsSync(file)) throw new ChatError("not_found", `there is no database at ${file}`);
  try {
    const database = openForReading(file);
    if (requireKnownSchema(database, file) < schemaVersion) {
      database.close();
      return null;
    }
    const ids = createConversationIds(database);
    const names = createEventNames(kinds);
    const rows = createEventRows(names);
    const log = createEventReads({ database, accounts: createAccounts(database), ids, names, rows });
    const overlays = createOverlayReads(database, ids, names);
    return {
      events: { read: async (range) => log.readEvents(range) },
      overlays: { amended: async (...query) => overlays.amended(...query) },
      close: () => database.close(),
    };
  } catch (thrown) {
    throw toChatError(thrown, file);
  }
}
