import type { RevocationStore } from "@chat21/auth";
import type { LeaseStore, Log, RedeliveryLog, Store } from "@chat21/engine";
import type { WebhookStore } from "@chat21/events";
import type { PeopleStore } from "@chat21/people";
import { createCommit } from "./commit-runs.ts";
import { createConversationReads, createConversations } from "./conversation-reads.ts";
import type { Database } from "./database.ts";
import { DispatchMarks } from "./dispatch-marks.ts";
import { createErase } from "./erase-events.ts";
import { createEventReads } from "./event-reads.ts";
import { HeadHints } from "./head-hints.ts";
import { KnownHeads } from "./known-heads.ts";
import { createLeases } from "./leases.ts";
import { createPatch } from "./patches.ts";
import { createPeers } from "./peers.ts";
import { createInstances, createRevocations, createUsers } from "./people.ts";
import { createPresence } from "./presence.ts";
import { createRedeliveries } from "./redeliveries.ts";
import { createViews } from "./views.ts";
import { createWebhooks } from "./webhooks.ts";

/** What {@link createMongoStore} is made of. */
export interface MongoStoreParts {
  readonly epoch: string;
  readonly database: Database;
  readonly log: Log | undefined;
  /** See `MongoStoreOptions`. */
  readonly clockToleranceMs: number;
  /** Called once, when nothing is under way any more. */
  readonly release: () => Promise<void>;
}

/** The engine's store, the other things that are kept in the same database, and what the processes that share it need of each other. */
export interface MongoStore extends Store, PeopleStore {
  readonly revocations: RevocationStore;
  readonly webhooks: WebhookStore;
  readonly redeliveries: RedeliveryLog;
  /** By the clock of the server; calls of a closed store are refused. */
  readonly leases: LeaseStore;
}

/** The ports over one database. */
export function createMongoStore({
  epoch,
  database,
  log,
  clockToleranceMs,
  release,
}: MongoStoreParts): MongoStore {
  const known = new KnownHeads();
  const marks = new DispatchMarks(database.collections, log);
  const hints = new HeadHints(database.collections, log);
  const reads = createConversationReads(database);
  const commit = createCommit(database, { known, marks, hints });
  let closed: Promise<void> | null = null;

  async function close(): Promise<void> {
    await database.drain();
    await Promise.all([marks.close(), hints.close()]);
    await release();
  }

  return {
    epoch,
    conversations: {
      ...createConversations(database, reads, known),
      ...createViews(database, reads),
      patch: createPatch(database, reads),
      peers: createPeers(database, reads),
    },
    events: {
      ...createEventReads(database, marks),
      commit: (runs) => database.call(() => commit(runs)),
      erase: createErase(database),
      markDispatched: (refs) => marks.clear(refs),
      flushMarks: () => database.call(() => marks.flush()),
    },
    instances: createInstances(database),
    leases: createLeases(database, clockToleranceMs),
    presence: createPresence(database),
    redeliveries: createRedeliveries(database, marks),
    revocations: createRevocations(database),
    users: createUsers(database),
    webhooks: createWebhooks(database, log),
    close() {
      closed ??= close();
      return closed;
    },
  };
}
