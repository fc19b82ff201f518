export { isOpen, withInterval } from "./conversation-state.ts";
export type { EngineOptions, SharedStoreOptions } from "./create-engine.ts";
export { createEngine } from "./create-engine.ts";
export type { DecodedMessage } from "./decode-message.ts";
export { decodeMessage } from "./decode-message.ts";
export type {
  Actor,
  ConversationOperations,
  CreateGroupRequest,
  Engine,
  GroupOperations,
  JsonText,
  MessageOperations,
  Page,
  PresenceOperations,
  SeenPresence,
  SendRequest,
  SentMessage,
  SyncOperations,
} from "./engine.ts";
export type { Clock } from "./ports/clock.ts";
export type { Contact, Contacts } from "./ports/contacts.ts";
export type {
  CloseReason,
  ConnectAttempt,
  Delivery,
  Edge,
  EdgeHandler,
  Inbound,
  Session,
  SessionSelector,
} from "./ports/edge.ts";
export type { EventSink, Fact, InboxCopy } from "./ports/event-sink.ts";
export type { Identity, TokenVerifier } from "./ports/identity.ts";
export type { Invalidation, Invalidations } from "./ports/invalidations.ts";
export type { Lease, LeaseStore } from "./ports/lease-store.ts";
export type {
  ConversationKind,
  ConversationRecord,
  ConversationView,
  EventRecord,
  EventRef,
  GroupRecord,
  InstanceRecord,
  Interval,
  MemberRecord,
  MemberState,
  RevocationRecord,
  StoredWebhookDelivery,
  UserRecord,
  WebhookDelivery,
} from "./ports/records.ts";
export type { RedeliveryLog } from "./ports/redelivery-log.ts";
export type {
  ConversationQuery,
  ConversationStore,
  EventLog,
  EventRange,
  InstanceStore,
  MemberPatch,
  PresenceLease,
  PresenceStore,
  RevocationStore,
  Run,
  RunResult,
  Store,
  UserStore,
  WebhookLease,
  WebhookOutcome,
  WebhookQuery,
  WebhookStore,
} from "./ports/store.ts";
export type { Log, MetricName, Metrics, ObservationName } from "./ports/telemetry.ts";
