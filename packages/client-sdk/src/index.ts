export type { ConversationEvent, ErrorCode, Message } from "@chat21/protocol";
export { ChatError, errorCodes } from "@chat21/protocol";
export type { Backoff, BackoffOptions } from "./backoff.ts";
export { exponentialBackoff } from "./backoff.ts";
export type { Chat, ChatUser, Outbox } from "./chat.ts";
export type { Clock } from "./clock.ts";
export { connect } from "./connect.ts";
export type {
  Conversation,
  ConversationSummary,
  Conversations,
  HistoryPage,
  HistoryQuery,
  Watermarks,
} from "./conversation.ts";
export type { ChatEvents } from "./events.ts";
export type { ChatGroup, Groups, NewGroup } from "./groups.ts";
export type { ChatMessage, MessageDraft, MessageState, SendOptions, SentMessage } from "./message.ts";
export type { ConnectOptions, Log, TokenSource } from "./options.ts";
export type { Presence, PresenceDirectory } from "./presence.ts";
export type { Status, StatusChange } from "./status.ts";
export type { Storage, StorageCollection, StoredRecord } from "./storage.ts";
export { memoryStorage } from "./storage.ts";
export type { Unsubscribe } from "./unsubscribe.ts";
