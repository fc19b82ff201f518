/** A key of a backend, as it is kept: by its hash. Times are milliseconds. */
export interface ServerKeyRecord {
  /** SHA-256 of the key, in base64url. */
  readonly hash: string;
  /** Names the key where it is listed and revoked; it opens nothing. */
  readonly id: string;
  readonly app: string;
  /** The user that the backend acts as where it names nobody else; the id on the wire. */
  readonly user: string;
  readonly createdAt: number;
  /** `null`: it never expires. */
  readonly expiresAt: number | null;
  /** To the hour; `null`: it was never used. */
  readonly lastUsedAt: number | null;
}

/** Keys of backends, kept as durably as events are: errors and promises are those of the engine's `Store`. */
export interface ServerKeyStore {
  add(key: ServerKeyRecord): Promise<void>;
  /** Sees every change that was answered before, of other processes too. */
  find(hash: string): Promise<ServerKeyRecord | null>;
  /** Of one app, oldest first. */
  list(app: string): Promise<readonly ServerKeyRecord[]>;
  /** No effect on a key that is gone. */
  markUsed(hash: string, at: number): Promise<void>;
  /** `false`: there is no such key. */
  remove(app: string, id: string): Promise<boolean>;
}
