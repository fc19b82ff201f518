import type { RevocationStore, ServerKeyStore } from "@chat21/auth";
import type { Store } from "@chat21/engine";
import type { WebhookStore } from "@chat21/events";
import type { PeopleStore } from "@chat21/people";

/** All ports that every adapter of a store has: the engine's, and those of auth, events and people. */
export interface WholeStore extends Store, PeopleStore {
  readonly revocations: RevocationStore;
  readonly serverKeys: ServerKeyStore;
  readonly webhooks: WebhookStore;
}
