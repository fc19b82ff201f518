import { expectTypeOf } from "vitest";
import type {
  Chat,
  ChatError,
  ChatMessage,
  Conversation,
  ConversationSummary,
  MessageState,
  SentMessage,
  Status,
  Storage,
} from "../src/index.ts";
import { memoryStorage } from "../src/index.ts";
import { fileStorage } from "../src/node.ts";

declare const chat: Chat;

// Every event has its own type, known from its name.
chat.on("message", (event) => {
  expectTypeOf(event.message).toEqualTypeOf<ChatMessage>();
  expectTypeOf(event.origin).toEqualTypeOf<"live" | "sync">();
});
chat.on("status", ({ status, reason }) => {
  expectTypeOf(status).toEqualTypeOf<Status>();
  expectTypeOf(reason).toEqualTypeOf<ChatError | null>();
});
chat.on("conversation", ({ conversation }) =>
  expectTypeOf(conversation).toEqualTypeOf<ConversationSummary>(),
);
// @ts-expect-error there is no such event
chat.on("mesage", () => undefined);

expectTypeOf(chat.send("bob", { text: "hi" })).resolves.toEqualTypeOf<SentMessage>();
// @ts-expect-error a text is a string
void chat.send("bob", { text: 1 });

// States can be handled exhaustively.
const labels: Record<MessageState, string> = {
  queued: "",
  sending: "",
  sent: "",
  delivered: "",
  read: "",
  failed: "",
  received: "",
};
expectTypeOf(labels).toBeObject();

// What is handed out cannot be changed.
declare const conversation: Conversation;
// @ts-expect-error read only
conversation.messages.push({} as ChatMessage);
// @ts-expect-error read only
conversation.summary.unread = 0;

expectTypeOf(memoryStorage()).toEqualTypeOf<Storage>();
expectTypeOf(fileStorage("folder")).toEqualTypeOf<Storage>();
expectTypeOf(chat.closed).resolves.toEqualTypeOf<ChatError | null>();
