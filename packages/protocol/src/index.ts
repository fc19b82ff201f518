export { type Budget, budgets, waitingPublishes } from "./budgets.ts";
export type { Answer, Command, Ephemeral, Mark } from "./command.ts";
export { answerSchema, commandSchema, ephemeralSchema, ephemeralSchemas, markSchema } from "./command.ts";
export { compileSchema } from "./compile-schema.ts";
export type { ChatErrorOptions, ErrorCode } from "./error-codes.ts";
export { ChatError, errorCodes, isErrorCode } from "./error-codes.ts";
export type { ConversationEvent } from "./event.ts";
export { eventSchema } from "./event.ts";
export {
  conversWithSchema,
  groupIdSchema,
  idSchema,
  outsideUserIdSchema,
  userIdSchema,
} from "./id-schemas.ts";
export {
  byteLength,
  conversationIdOf,
  conversWithOf,
  defaultApp,
  directConversationId,
  directMembers,
  idPattern,
  isClientId,
  isGroupId,
  isId,
  looksLikeGroupId,
  systemUser,
} from "./ids.ts";
export type { EraseCommand } from "./kinds/erased.ts";
export { eraseCommandSchema } from "./kinds/erased.ts";
export type { EventKind } from "./kinds/event-kind.ts";
export { defineEventKind } from "./kinds/event-kind.ts";
export type { EventCodes, EventType } from "./kinds/event-kinds.ts";
export { eventCodes, eventKinds } from "./kinds/event-kinds.ts";
export { clientLimits, limits } from "./limits.ts";
export type {
  Conversation,
  Group,
  GroupSummary,
  Message,
  OutgoingMessage,
  ReceiptUpdate,
} from "./message.ts";
export {
  acceptedMessageSchema,
  conversationPatchSchema,
  conversationSchema,
  groupSchema,
  groupSummarySchema,
  messageSchema,
  outgoingMessageSchema,
  presenceSchema,
  receiptSchema,
  receiptUpdateSchema,
  serverKeys,
} from "./message.ts";
export type { MessageStatus } from "./message-status.ts";
export { messageStatus } from "./message-status.ts";
export { outsideIds, outsideJson } from "./outside-ids.ts";
export type { Overlay } from "./overlay.ts";
export { overlaySchema } from "./overlay.ts";
export type { Range } from "./range.ts";
export { rangeSchema } from "./range.ts";
export type { OwnUse, ScopePermission } from "./scopes.ts";
export { readScopes, Scopes } from "./scopes.ts";
export type {
  ConversationState,
  HistoryResponse,
  SyncItem,
  SyncRequest,
  SyncResponse,
} from "./sync.ts";
export {
  conversationStateSchema,
  historyResponseSchema,
  syncItemSchema,
  syncRequestSchema,
  syncResponseSchema,
} from "./sync.ts";
export type { Claims, TokenRequest, TokenResponse } from "./token.ts";
export {
  claimsSchema,
  serviceScopes,
  tokenAudience,
  tokenHolderSchema,
  tokenRequestSchema,
  tokenResponseSchema,
  userScopes,
} from "./token.ts";
export type { ClientTopic, ServerTopic } from "./topics.ts";
export {
  clientTopics,
  fitsRoutingKeys,
  fromRoutingKey,
  isOwnFilter,
  isOwnTopic,
  parseClientTopic,
  parseServerTopic,
  topicMatches,
  topics,
  toRoutingKey,
} from "./topics.ts";
export type { PresenceList, User, UserProfile } from "./user.ts";
export { nameListSchema, presenceListSchema, userProfileSchema, userSchema } from "./user.ts";
export {
  isConversWith,
  isUserId,
  readConversWith,
  readUserId,
  toOutsideId,
  toWireConversWith,
  toWireId,
} from "./user-id.ts";
export { validate } from "./validate.ts";
export type { ListPlace, Reader } from "./view.ts";
export { compareListed, countsAsUnread, isListedMessage } from "./view.ts";
export type { WebhookEvent } from "./webhook.ts";
export { usualWebhookEvents, webhookEvents } from "./webhook.ts";
