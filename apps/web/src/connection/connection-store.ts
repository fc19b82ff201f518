import type { Chat, Status } from "@chat21/client-sdk";

/** The connection of one client, for `useSyncExternalStore`. */
export interface ConnectionStore {
  get(): ConnectionState;
  subscribe(listener: () => void): () => void;
}

/** Creates a store that follows the connection of `chat`. */
export function createConnectionStore(chat: Chat): ConnectionStore {
  const listeners = new Set<() => void>();
  let state: ConnectionState = { status: chat.status, retryAt: null, wasOnline: chat.status === "online" };
  chat.on("status", ({ status, retryInMs }) => {
    const retryAt = retryInMs === null ? null : Date.now() + retryInMs;
    state = { status, retryAt, wasOnline: state.wasOnline || status === "online" };
    for (const listener of listeners) listener();
  });
  return {
    get: () => state,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** The state of the connection. */
interface ConnectionState {
  readonly status: Status;
  /** When the next attempt starts, in milliseconds since the epoch; `null` while one is under way. */
  readonly retryAt: number | null;
  /** Whether this client has been online at least once. */
  readonly wasOnline: boolean;
}
