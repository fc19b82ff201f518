import type { InstanceRecord, UserRecord } from "./records.ts";

/** Users. */
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

/** Push registrations. */
export interface InstanceStore {
  put(instance: InstanceRecord): Promise<void>;
  list(app: string, user: string): Promise<readonly InstanceRecord[]>;
}
