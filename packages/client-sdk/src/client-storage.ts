import { newId } from "./new-id.ts";
import type { OutboxStore } from "./outbox.ts";
import type { OutboxRecord } from "./outbox-entry.ts";
import type { Storage } from "./storage.ts";
import type { Positions } from "./sync-ports.ts";

/** What one user's client keeps, in terms of a {@link Storage}. */
export interface ClientStorage {
  readonly outbox: OutboxStore;
  /** The device's id, made at first use. */
  deviceId(): Promise<string>;
  positions(): Promise<Positions | undefined>;
  putPositions(positions: Positions): Promise<void>;
}

/** Scopes a storage to one user of one app. */
export function clientStorage(storage: Storage, app: string, user: string): ClientStorage {
  const scope = `${app}/${user}/`;
  return {
    outbox: {
      async list() {
        return (await storage.list("outbox", scope)).map(({ value }) => value as OutboxRecord);
      },
      put: (record) => storage.put("outbox", scope + record.clientMessageId, record),
      delete: (clientMessageId) => storage.delete("outbox", scope + clientMessageId),
    },

    async deviceId() {
      const known = await storage.get("meta", `${scope}device`);
      if (typeof known === "string") return known;
      const id = newId();
      await storage.put("meta", `${scope}device`, id);
      return id;
    },

    async positions() {
      return (await storage.get("meta", `${scope}positions`)) as Positions | undefined;
    },

    putPositions: (positions) => storage.put("meta", `${scope}positions`, positions),
  };
}
