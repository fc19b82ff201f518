import type { RevocationStore, ServerKeyStore } from "@chat21/auth";
import type { LeaseStore, Log, RedeliveryLog, Store } from "@chat21/engine";
import type { WebhookStore } from "@chat21/events";
import type { PeopleStore } from "@chat21/people";
import { createChanges } from "./changes.ts";
import { createCommit } from "./commit-runs.ts";
import { createConversationReads, createConversations } from "./conversation-reads.ts";
import type { Database } from "./database.ts";
import { DispatchCursor } from "./dispatch-cursor.ts";
import { DispatchMarks } from "./dispatch-marks.ts";
import { createEventReads } from "./event-reads.ts";
import { createGroups } from "./groups.ts";
import { HeadHints } from "./head-hints.ts";
import { createHeadSweep } from "./head-sweep.ts";
import { KnownHeads } from "./known-heads.ts";
import { createLeases } from "./leases.ts";
import { createListSweep } from "./list-sweep.ts";
import { createMemberships } from "./memberships.ts";
import { createMessageSearch } from "./message-search.ts";
import { createOverlays } from "./overlays.ts";
import { createPatch } from "./patches.ts";
import { createPeers } from "./peers.ts";
import { createInstances, createRevocations, createServerKeys, createUsers } from "./people.ts";
import { createPresence } from "./presence.ts";
import { createRedeliveries } from "./redeliveries.ts";
import { createRewrite } from "./rewrite-events.ts";
import { createSeatReads } from "./seats.ts";
import { createViews } from "./views.ts";
import { createWebhooks } from "./webhooks.ts";

/** Parts of {@link createMongoStore}. */
export interface MongoStoreParts {
  readonly epoch: string;
  readonly database: Database;
  readonly log: Log | undefined;
  /** See `MongoStoreOptions`. */
  readonly clockToleranceMs: number;
  /** See `MongoStoreOptions`. */
  readonly headSweepMs: number;
  /** See `MongoStoreOptions`. */
  readonly dispatchMarks: "event" | "process";
  /** Called once, when nothing is under way any more. */
  readonly release: () => Promise<void>;
}

/** The engine's store, the other data in the same database, and the leases of the processes that share it. */
export interface MongoStore extends Store, PeopleStore {
  readonly revocations: RevocationStore;
  readonly serverKeys: ServerKeyStore;
  readonly webhooks: WebhookStore;
  readonly redeliveries: RedeliveryLog;
  /** By the clock of the server; calls of a closed store are refused. */
  readonly leases: LeaseStore;
}

/** The ports over one database. Resolves after one look for heads that dead processes left behind. */
export async function createMongoStore({
  epoch,
  database,
  log,
  clockToleranceMs,
  headSweepMs,
  dispatchMarks,
  release,
}: MongoStoreParts): Promise<MongoStore> {
  const known = new KnownHeads();
  const hints = new HeadHints(database, log);
  const marks = new DispatchMarks(database.collections, hints, log);
  const cursor =
    dispatchMarks === "process" ? await DispatchCursor.open({ database, hints, marks, log }) : null;
  const leases = createLeases(database, clockToleranceMs);
  const seats = createSeatReads(database);
  const sweepParts = { database, leases, log, intervalMs: headSweepMs };
  const headSweep = createHeadSweep(sweepParts);
  const listSweep = createListSweep({ ...sweepParts, seats });
  const reads = createConversationReads(database);
  const memberships = createMemberships(database);
  const views = { reads, memberships, seats };
  const commit = createCommit(database, { known, marks, hints, cursor });
  let closed: Promise<void> | null = null;

  async function close(): Promise<void> {
    await Promise.all([headSweep.close(), listSweep.close()]);
    await database.drain();
    await cursor?.close();
    await Promise.all([marks.close(), hints.close()]);
    await release();
  }

  await headSweep.start();
  // Nobody waits for it: until it is done, lists ask the log.
  void listSweep.start();
  return {
    epoch,
    conversations: {
      ...createConversations(database, { reads, known }),
      ...createViews(database, views),
      changes: createChanges(database, views, hints),
      groups: createGroups(database),
      patch: createPatch(database, reads),
      peers: createPeers(database, reads),
    },
    events: {
      ...createEventReads(database, marks, cursor),
      commit: (runs) => database.call(() => commit(runs)),
      findMessages: createMessageSearch(database),
      rewrite: createRewrite(database),
      // The server overwrites and compacts by itself; no command speaks of bytes on the disk.
      scrub: async () => {},
      markDispatched: (refs) => marks.clear(cursor === null ? refs : cursor.pass(refs)),
      flushDispatchMarks: () =>
        database.call(async () => {
          await cursor?.flush();
          await marks.flush();
        }),
    },
    instances: createInstances(database),
    leases,
    overlays: createOverlays(database, reads),
    presence: createPresence(database),
    redeliveries: createRedeliveries(database, marks, hints),
    revocations: createRevocations(database),
    serverKeys: createServerKeys(database),
    users: createUsers(database),
    webhooks: createWebhooks(database, log),
    close() {
      closed ??= close();
      return closed;
    },
  };
}
