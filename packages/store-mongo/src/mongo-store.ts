import type { Log, Store } from "@chat21/engine";
import { createCommit } from "./commit-runs.ts";
import { createConversationReads, createConversations } from "./conversation-reads.ts";
import type { Database } from "./database.ts";
import { createErase } from "./erase-events.ts";
import { createEventReads } from "./event-reads.ts";
import { KnownHeads } from "./known-heads.ts";
import { LazyWrites } from "./lazy-writes.ts";
import { createPatch } from "./patches.ts";
import { createInstances, createRevocations, createUsers } from "./people.ts";
import { createPresence } from "./presence.ts";
import { createViews } from "./views.ts";
import { createWebhooks } from "./webhooks.ts";

/** What {@link createMongoStore} is made of. */
export interface MongoStoreParts {
  readonly epoch: string;
  readonly database: Database;
  readonly log: Log | undefined;
  /** Called once, when nothing is under way any more. */
  readonly release: () => Promise<void>;
}

/** The port over one database. */
export function createMongoStore({ epoch, database, log, release }: MongoStoreParts): Store {
  const known = new KnownHeads();
  const lazily = new LazyWrites(database.collections, log);
  const reads = createConversationReads(database);
  const commit = createCommit(database, known, lazily);
  let closed: Promise<void> | null = null;

  async function close(): Promise<void> {
    await database.drain();
    await lazily.close();
    await release();
  }

  return {
    epoch,
    conversations: {
      ...createConversations(database, reads, known),
      ...createViews(database, reads),
      patch: createPatch(database, reads),
    },
    events: {
      ...createEventReads(database, lazily),
      commit: (runs) => database.call(() => commit(runs)),
      erase: createErase(database),
      markDispatched: (refs) => lazily.clearMarks(refs),
    },
    instances: createInstances(database),
    presence: createPresence(database),
    revocations: createRevocations(database),
    users: createUsers(database),
    webhooks: createWebhooks(database),
    close() {
      closed ??= close();
      return closed;
    },
  };
}
