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
  JsonItems,
  JsonText,
  ListPage,
  MessageOperations,
  Page,
  PresenceOperations,
  SeenPresence,
  SendRequest,
  SentMessage,
  SyncOperations,
} from "./engine.ts";
export { isCommittedOutside } from "./is-committed-outside.ts";
export type { Amended, Amends, CommandActor, Kind, KindCommand, KindRequest, Outlet } from "./kinds/kind.ts";
export { tellMembers } from "./kinds/kind.ts";
export { eventRules } from "./kinds/kinds.ts";
export type { DecisionContext, EventDraft, Plan } from "./kinds/plan.ts";
export { everyConversation } from "./operations/every-conversation.ts";
export type { OverlayProblem, OverlayReads } from "./overlays.ts";
export { checkOverlays, rebuildOverlays } from "./overlays.ts";
export type { Clock } from "./ports/clock.ts";
export type { Contact, Contacts } from "./ports/contacts.ts";
export type {
  ChangedConversation,
  ChangeQuery,
  Changes,
  ConversationQuery,
  ConversationStore,
  GroupQuery,
  ListBound,
  MemberPatch,
} from "./ports/conversation-store.ts";
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
export type {
  Amendment,
  CommittedOutside,
  EventLog,
  EventRange,
  MessageSearch,
  Run,
  RunResult,
} from "./ports/event-log.ts";
export type { EventSink, Fact, InboxCopy } from "./ports/event-sink.ts";
export type { Identity, TokenVerifier } from "./ports/identity.ts";
export type { Invalidation, Invalidations } from "./ports/invalidations.ts";
export type { Lease, LeaseStore } from "./ports/lease-store.ts";
export type { ConversationOverlays, OverlayStore } from "./ports/overlay-store.ts";
export type { PresenceLease, PresenceStore } from "./ports/presence-store.ts";
export type {
  ConversationKind,
  ConversationRecord,
  ConversationView,
  EventRecord,
  EventRef,
  GroupRecord,
  GroupSummaryRecord,
  Interval,
  MemberRecord,
  MemberState,
} from "./ports/records.ts";
export type { RedeliveryLog } from "./ports/redelivery-log.ts";
export type { Store } from "./ports/store.ts";
export type { Log, MetricName, Metrics, ObservationName } from "./ports/telemetry.ts";
export { withShortText } from "./short-text.ts";
export type { ListItem, Viewer } from "./view/view.ts";
export {
  countUnread,
  isArchived,
  isBehind,
  isInFront,
  isNew,
  isOnList,
  isVisible,
  lastListed,
  sees,
  visibleHead,
} from "./view/view.ts";
export { isOpen, withInterval } from "./working-conversation.ts";
