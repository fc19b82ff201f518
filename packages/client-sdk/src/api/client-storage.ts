import type { TokenUser } from "../connection/token-keeper.ts";
import { newId } from "../outbox/new-id.ts";
import type { OutboxStore } from "../outbox/outbox.ts";
import type { OutboxRecord } from "../outbox/outbox-entry.ts";
import type { Positions } from "../sync/positions.ts";
import type { Storage } from "./storage.ts";

/** One user's records in a {@link Storage}. */
export interface ClientStorage {
  readonly outbox: OutboxStore;
  /** Notes that this user signed in. */
  noteUser(): Promise<void>;
  /** The device's id, made at first use. */
  deviceId(): Promise<string>;
  positions(): Promise<Positions | undefined>;
  putPositions(positions: Positions): Promise<void>;
}

const lastUserKey = "user";

/** The user who signed in last; `undefined` before the first one. */
export async function lastUser(storage: Storage): Promise<TokenUser | undefined> {
  return (await storage.get("meta", lastUserKey)) as TokenUser | undefined;
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

    noteUser: () => storage.put("meta", lastUserKey, { app, user }),

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
