import type { InstanceStore } from "./instance-store.ts";
import type { UserStore } from "./user-store.ts";

/** What a store keeps about people. */
export interface PeopleStore {
  readonly instances: InstanceStore;
  readonly users: UserStore;
}
