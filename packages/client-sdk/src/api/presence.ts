import type { Unsubscribe } from "./emitter.ts";

/** Whether somebody is there. */
export interface Presence {
  readonly user: string;
  readonly presence: "online" | "offline";
  /** Milliseconds; `null` when never seen, or online. */
  readonly lastSeen: number | null;
}

/** Presence of others. */
export interface PresenceDirectory {
  /** Asks the server. */
  get(user: string): Promise<Presence>;
  /** What this client last heard, without asking. */
  known(user: string): Presence | undefined;
  /**
   * Calls `listener` with the present state as soon as it is known, and after each change. Changes come live for users
   * with whom there is a direct conversation; of others the server tells, if anything, what it is asked. After a
   * reconnect the state is asked for again.
   */
  subscribe(user: string, listener: (presence: Presence) => void): Unsubscribe;
}
