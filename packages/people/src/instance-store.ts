import type { UserStore } from "./user-store.ts";

/** A push registration of a device. */
export interface InstanceRecord {
  readonly app: string;
  readonly user: string;
  readonly instanceId: string;
  /** JSON text: device_model, language, platform, platform_version. */
  readonly data: string;
  readonly updatedAt: number;
}

/** Push registrations of devices. Removed with the person, by {@link UserStore.erase}. */
export interface InstanceStore {
  put(instance: InstanceRecord): Promise<void>;
  list(app: string, user: string): Promise<readonly InstanceRecord[]>;
}
