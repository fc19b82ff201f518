export type { ConversationEvent, ErrorCode, Message } from "@chat21/protocol";
export { ChatError, errorCodes } from "@chat21/protocol";
export type { Chat, ChatUser, Outbox } from "./api/chat.ts";
export { connect } from "./api/connect.ts";
export type {
  Conversation,
  ConversationSummary,
  Conversations,
  HistoryPage,
  HistoryQuery,
  Watermarks,
} from "./api/conversation.ts";
export type { Unsubscribe } from "./api/emitter.ts";
export type { ChatEvents } from "./api/events.ts";
export type { ChatGroup, Groups, NewGroup } from "./api/groups.ts";
export type { ChatMessage, MessageDraft, MessageState, SendOptions, SentMessage } from "./api/message.ts";
export type { ConnectOptions, Log, TokenSource } from "./api/options.ts";
export type { Presence, PresenceDirectory } from "./api/presence.ts";
export type { Status, StatusChange } from "./api/status.ts";
export type { Storage, StorageCollection, StoredRecord } from "./api/storage.ts";
export { memoryStorage } from "./api/storage.ts";
export type { Backoff, BackoffOptions } from "./connection/backoff.ts";
export { exponentialBackoff } from "./connection/backoff.ts";
export type { Clock } from "./connection/clock.ts";
