import type { ChatError, ConversationEvent } from "@chat21/protocol";
import type { ConversationSummary, Watermarks } from "./conversation.ts";
import type { ChatGroup } from "./groups.ts";
import type { ChatMessage } from "./message.ts";
import type { Presence } from "./presence.ts";
import type { StatusChange } from "./status.ts";

/** Everything `chat.on` can tell, by name. Each handler gets one object. */
export interface ChatEvents {
  /**
   * A message entered a conversation: others' and one's own, from every device. Per conversation in the order of `seq`,
   * each once, none left out, across any reconnect; after a restart with a durable storage it goes on where it stood.
   * Not for what was there before the first sign-in, nor for history shown on joining a group: read `messages` for that.
   */
  message: {
    readonly conversWith: string;
    readonly message: ChatMessage;
    /** `sync`: it came while this client was away. */
    readonly origin: "live" | "sync";
  };
  /**
   * A held message changed: mostly its `state`, or it was deleted. One's own message is announced here when it is queued, too.
   */
  messageUpdated: { readonly conversWith: string; readonly message: ChatMessage };
  /** A conversation entered a list or changed. */
  conversation: { readonly conversation: ConversationSummary };
  /** A conversation left both lists. */
  conversationRemoved: { readonly conversWith: string };
  /** A group of this user changed. `members` without this user: it was removed. */
  group: { readonly group: ChatGroup };
  presence: Presence;
  typing: { readonly conversWith: string; readonly user: string; readonly typing: boolean };
  /** Somebody's watermarks moved forward; `user` may be this user, on another device. */
  receipt: { readonly conversWith: string; readonly user: string } & Watermarks;
  /**
   * An entry of a conversation's log that is no message (`member_added`, `erased` …), in its place; also of kinds that this
   * version does not know.
   */
  event: ConversationEvent;
  status: StatusChange;
  /** The outbox changed. */
  outbox: { readonly pending: number; readonly failed: number };
  /** Something failed that no promise reports. The client goes on by itself; nothing is lost. */
  error: { readonly error: ChatError };
  /**
   * The server could not continue from where this client stood (restored from a backup, or too far behind): the held
   * messages were replaced by the newest ones. `message` events go on from there; `history` has what lies between.
   */
  reset: { readonly conversWith: string };
}
