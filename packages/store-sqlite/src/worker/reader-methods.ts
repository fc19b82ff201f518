import type { DatabaseSync } from "node:sqlite";
import { createAccounts } from "./accounts.ts";
import { createConversationIds } from "./conversation-ids.ts";
import { type ConversationReads, createConversationReads } from "./conversation-reads.ts";
import { createEventReads, type EventReads } from "./event-reads.ts";
import { createPeopleReads, type PeopleReads } from "./people-reads.ts";
import { createPresenceReads, type PresenceReads } from "./presence-reads.ts";
import { createViewReads, type ViewReads } from "./view-reads.ts";
import { createWebhookReads, type WebhookReads } from "./webhook-reads.ts";

/** Everything that is read. Requests that wait together are answered from one snapshot. */
export type ReaderMethods = EventReads &
  Omit<ConversationReads, "record"> &
  ViewReads &
  PeopleReads &
  PresenceReads &
  WebhookReads;

/** What the reading worker does outside of a snapshot. */
export interface ReaderSideMethods {
  checkpoint(): void;
}

/** Puts the reads together over one connection. */
export function createReaderMethods(database: DatabaseSync): ReaderMethods {
  const accounts = createAccounts(database);
  const ids = createConversationIds(database);
  const { record, ...conversations } = createConversationReads(database, accounts, ids);
  return {
    ...createEventReads(database, accounts, ids),
    ...conversations,
    ...createViewReads(database, accounts, ids, record),
    ...createPeopleReads(database),
    ...createPresenceReads(database, accounts),
    ...createWebhookReads(database),
  };
}
