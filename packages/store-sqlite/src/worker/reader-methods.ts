import type { DatabaseSync } from "node:sqlite";
import type { WorkerSetup } from "../worker-protocol.ts";
import { createAccounts } from "./accounts.ts";
import { type ChangeReads, createChangeReads } from "./change-reads.ts";
import { ConversationEnds } from "./conversation-ends.ts";
import { createConversationIds } from "./conversation-ids.ts";
import { type ConversationReads, createConversationReads } from "./conversation-reads.ts";
import { createEndReads } from "./end-reads.ts";
import { createEventNames } from "./event-codes.ts";
import { createEventReads, type EventReads } from "./event-reads.ts";
import { createEventRows } from "./event-rows.ts";
import { createListReads, type ListReads } from "./list-reads.ts";
import { createMessageSearch, type MessageSearches } from "./message-search.ts";
import { createOverlayReads, type OverlayReads } from "./overlay-reads.ts";
import { createPeopleReads, type PeopleReads } from "./people-reads.ts";
import { createPresenceReads, type PresenceReads } from "./presence-reads.ts";
import { createSeatTables } from "./seat-tables.ts";
import { createViewReads, type ViewReads } from "./view-reads.ts";
import { createWebhookReads, type WebhookReads } from "./webhook-reads.ts";

/** Everything that is read. Requests that wait together are answered from one snapshot. */
export type ReaderMethods = EventReads &
  ChangeReads &
  ConversationReads &
  ListReads &
  MessageSearches &
  OverlayReads &
  Pick<ViewReads, "view"> &
  PeopleReads &
  PresenceReads &
  WebhookReads;

/** Methods of the reading worker outside of a snapshot. */
export interface ReaderSideMethods {
  checkpoint(): void;
}

/** Puts the reads together over one connection. */
export function createReaderMethods(
  database: DatabaseSync,
  setup: Pick<WorkerSetup, "kinds" | "ends">,
): ReaderMethods {
  const accounts = createAccounts(database);
  const ids = createConversationIds(database);
  const names = createEventNames(setup.kinds);
  const rows = createEventRows(names);
  const ends = createEndReads(database, new ConversationEnds(setup.ends));
  const tables = createSeatTables(database, ends);
  const views = createViewReads(database, accounts, ids, rows);
  return {
    ...createEventReads({ database, accounts, ids, names, rows }),
    ...createMessageSearch(database, accounts, ids),
    ...createOverlayReads(database, ids, names),
    ...createConversationReads(database, accounts, ids),
    view: views.view,
    ...createListReads({ database, accounts, tables, views }),
    ...createChangeReads({ database, accounts, ends, tables, views, rows }),
    ...createPeopleReads(database),
    ...createPresenceReads(database, accounts),
    ...createWebhookReads(database),
  };
}
