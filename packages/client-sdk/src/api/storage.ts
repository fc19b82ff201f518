/**
 * Collections of a storage: `outbox` holds one record per unsent message, `marks` one per run with the read and delivered
 * marks that the server has not confirmed, `meta` the device id and the positions. Records of `outbox` and `marks` may be
 * handed to another client of the same user: each goes out once, or does no harm.
 */
export type StorageCollection = "marks" | "meta" | "outbox";

/** One record of a list. */
export interface StoredRecord {
  readonly key: string;
  readonly value: unknown;
}

/**
 * The place for data of the SDK that must survive a restart. Values are plain JSON data. Keys are scoped by app and
 * user, so that one storage may serve several users one after the other, but not one user in two running clients.
 *
 * An implementation promises: a resolved `put` or `delete` is durable; calls take effect in their order; a reader gets
 * a copy, never a shared object. A rejection of `put` fails the send it belongs to, any other is reported as an `error`
 * event: what cannot be read never keeps a client from opening. The client checks what it reads, leaves damaged records
 * out, and reports them, too; unsent messages that it cannot read stay in the storage.
 */
export interface Storage {
  /** `undefined` without a record. */
  get(collection: StorageCollection, key: string): Promise<unknown>;
  /** Ascending by key; only keys that begin with `prefix`. A record that is there but cannot be read has the value `null`. */
  list(collection: StorageCollection, prefix: string): Promise<readonly StoredRecord[]>;
  /** Inserts or replaces. */
  put(collection: StorageCollection, key: string, value: unknown): Promise<void>;
  /** No effect without a record. */
  delete(collection: StorageCollection, key: string): Promise<void>;
}

/** Keeps everything in memory: unsent messages and marks survive a reconnect, but no restart. */
export function memoryStorage(): Storage {
  const collections: Readonly<Record<StorageCollection, Map<string, string>>> = {
    marks: new Map(),
    meta: new Map(),
    outbox: new Map(),
  };
  return {
    async get(collection, key) {
      const text = collections[collection].get(key);
      return text === undefined ? undefined : JSON.parse(text);
    },
    async list(collection, prefix) {
      return [...collections[collection]]
        .filter(([key]) => key.startsWith(prefix))
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, text]) => ({ key, value: JSON.parse(text) }));
    },
    async put(collection, key, value) {
      collections[collection].set(key, JSON.stringify(value));
    },
    async delete(collection, key) {
      collections[collection].delete(key);
    },
  };
}
