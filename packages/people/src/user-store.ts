/** A person or bot known to a backend. */
export interface UserRecord {
  readonly app: string;
  readonly id: string;
  /** JSON text of the profile (`userProfileSchema`). */
  readonly profile: string;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** People and bots, as durable as events: errors and promises are those of the engine's `Store`. */
export interface UserStore {
  put(user: UserRecord): Promise<void>;
  get(app: string, id: string): Promise<UserRecord | null>;
  /** Ascending by id, beginning after `after`. */
  list(app: string, limit: number, after?: string): Promise<readonly UserRecord[]>;
  /** Answers whether the user existed. */
  delete(app: string, id: string): Promise<boolean>;
  /**
   * Removes, in one write, all data about a person beside events and memberships: profile, push registrations, presence
   * and the time when the person was last seen. Idempotent.
   */
  erase(app: string, id: string): Promise<{ readonly profile: boolean; readonly instances: number }>;
}
