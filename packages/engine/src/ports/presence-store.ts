/** A presence lease: `user` is online through `clientId` until `expiresAt` (ms). */
export interface PresenceLease {
  readonly app: string;
  readonly user: string;
  readonly clientId: string;
  readonly expiresAt: number;
}

/** Presence of users. A user is online while one unexpired lease exists. */
export interface PresenceStore {
  /** Inserts or extends leases. Answers per lease whether the user had none before (came online). */
  renew(leases: readonly PresenceLease[], now: number): Promise<readonly boolean[]>;
  /**
   * Ends one lease. `offline`: it was the user's last one; `lastSeen` is set to `now` then, also from a later time: the
   * clock was set back.
   */
  end(app: string, user: string, clientId: string, now: number): Promise<{ readonly offline: boolean }>;
  /**
   * Shortens leases that end after `latest` (ms), each at the latest when it is its user's next one to end: the clock
   * was set back after they were made.
   */
  bound(latest: number): Promise<void>;
  /**
   * Drops leases that ran out; answers the users who went offline by it. Their `lastSeen` is the end of their last
   * lease.
   */
  expire(now: number): Promise<readonly { readonly app: string; readonly user: string }[]>;
  /** Leases that run out, or ran out, before `before` (ms), the first ones first, at most `limit`. */
  expiring(before: number, limit: number): Promise<readonly PresenceLease[]>;
  /** Leases of a client id, of all users, run out or not; at most 1,000. */
  ofClient(clientId: string): Promise<readonly PresenceLease[]>;
  /**
   * One answer per user, in order. `lastSeen` is `now` while online, never later, and 0 for a user who was never seen.
   */
  get(
    app: string,
    users: readonly string[],
    now: number,
  ): Promise<readonly { readonly online: boolean; readonly lastSeen: number }[]>;
}
