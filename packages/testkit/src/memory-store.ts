import type { RedeliveryLog } from "@chat21/engine";
import { createMemoryConversations } from "./memory-store/conversations.ts";
import { createMemoryDisk, type MemoryDisk } from "./memory-store/disk.ts";
import { createMemoryEventLog } from "./memory-store/event-log.ts";
import { type Gate, gated } from "./memory-store/gate.ts";
import { createMemoryOverlays } from "./memory-store/overlays.ts";
import {
  createMemoryInstances,
  createMemoryRevocations,
  createMemoryServerKeys,
  createMemoryUsers,
} from "./memory-store/people.ts";
import { createMemoryPresence } from "./memory-store/presence.ts";
import { createMemoryRedeliveries } from "./memory-store/redeliveries.ts";
import { createMemoryWebhooks } from "./memory-store/webhooks.ts";
import type { WholeStore } from "./whole-store.ts";

/** Options of {@link createMemoryStore}. */
export interface MemoryStoreOptions {
  /** The durable data; hand the same disk to the next store after a crash. @default a new one */
  readonly disk?: MemoryDisk;
  /** The gate for crashes, delays and failures. @default no gate */
  readonly gate?: Gate;
}

/** A store that several processes may share. */
export interface MemoryStore extends WholeStore {
  readonly redeliveries: RedeliveryLog;
}

/**
 * The reference implementation of all ports of a store: their sentences in the plainest code, without indexes. Marks of
 * dispatched events wait in the store object for its next commit or flush, as the port allows, so that a crash loses
 * them.
 */
export function createMemoryStore({ disk = createMemoryDisk(), gate }: MemoryStoreOptions = {}): MemoryStore {
  const through = gated(gate);
  const { flush, ...events } = createMemoryEventLog(disk, through);
  return {
    epoch: disk.epoch,
    conversations: createMemoryConversations(disk, through),
    events,
    instances: createMemoryInstances(disk, through),
    overlays: createMemoryOverlays(disk, through),
    presence: createMemoryPresence(disk, through),
    redeliveries: createMemoryRedeliveries(disk, through),
    revocations: createMemoryRevocations(disk, through),
    serverKeys: createMemoryServerKeys(disk, through),
    users: createMemoryUsers(disk, through),
    webhooks: createMemoryWebhooks(disk, through),
    async close() {
      flush();
    },
  };
}
