import type { Unsubscribe } from "./emitter.ts";

/** Whether a user is online. `unknown`: this client is away from the server, and can hear of no change. */
export interface Presence {
  readonly user: string;
  readonly presence: "online" | "offline" | "unknown";
  /** Milliseconds; `null` while online or unknown, and for a user who was never seen. */
  readonly lastSeen: number | null;
}

/** Presence of others. */
export interface PresenceDirectory {
  /** Asks the server. */
  get(user: string): Promise<Presence>;
  /** The present state as far as it is known, without asking the server. */
  known(user: string): Presence | undefined;
  /**
   * Calls `listener` with the present state as soon as it is known, and after each change. Changes come live for users
   * who share a direct conversation with this user. For other users the server only answers requests, if it tells
   * anything. After a reconnect the state is asked for again.
   */
  subscribe(user: string, listener: (presence: Presence) => void): Unsubscribe;
}
