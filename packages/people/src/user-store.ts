/** A person or bot known to a backend. */
export interface UserRecord {
  readonly app: string;
  readonly id: string;
  /** JSON text of the profile (`userProfileSchema`). */
  readonly profile: string;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** People and bots, kept as durably as events are: errors and promises are those of the engine's `Store`. */
export interface UserStore {
  put(user: UserRecord): Promise<void>;
  get(app: string, id: string): Promise<UserRecord | null>;
  /** Ascending by id, beginning after `after`. */
  list(app: string, limit: number, after?: string): Promise<readonly UserRecord[]>;
  /** Whether there was one. */
  delete(app: string, id: string): Promise<boolean>;
  /**
   * Removes, in one write, what is kept about a person beside events and memberships: profile, push registrations,
   * presence and when the person was last seen. Idempotent.
   */
  erase(app: string, id: string): Promise<{ readonly profile: boolean; readonly instances: number }>;
}
