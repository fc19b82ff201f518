import type { ConversationStore } from "./conversation-store.ts";
import type { EventLog } from "./event-log.ts";
import type { OverlayStore } from "./overlay-store.ts";
import type { PresenceStore } from "./presence-store.ts";

/**
 * The engine's storage. An implementation owns its connection; a promise that resolves means "on disk, and it survives
 * a power cut". Errors are `ChatError`: `store_unavailable` for a failure that may pass, `internal` for one that will
 * not. After a `store_unavailable` a write's outcome is unknown, and the same call may safely be repeated. Adapters
 * keep more than this, under the same promises: revoked tokens, the webhooks' outbox, people; these ports belong to the
 * packages that use them.
 *
 * A store is opened with the kinds of events that its program knows, and remembers every kind that it was ever opened
 * with. It refuses to open for a program that lacks one of them. A kind that a newer process writes meanwhile is read
 * under its name, or as `#` and its code where only the number is stored.
 */
export interface Store {
  /** Random, made with the store, changed by a restore: numbers of another epoch mean nothing. */
  readonly epoch: string;
  readonly conversations: ConversationStore;
  readonly events: EventLog;
  readonly overlays: OverlayStore;
  readonly presence: PresenceStore;
  /** Finishes accepted work, then releases everything. Idempotent. */
  close(): Promise<void>;
}
