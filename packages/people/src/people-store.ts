import type { InstanceStore } from "./instance-store.ts";
import type { UserStore } from "./user-store.ts";

/** A store's data about people. */
export interface PeopleStore {
  readonly instances: InstanceStore;
  readonly users: UserStore;
}
