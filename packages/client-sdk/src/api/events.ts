import type { ChatError, ConversationEvent } from "@chat21/protocol";
import type { ConversationSummary, Watermarks } from "./conversation.ts";
import type { ChatGroup } from "./groups.ts";
import type { ChatMessage } from "./message.ts";
import type { Presence } from "./presence.ts";
import type { StatusChange } from "./status.ts";

/** Every event of `chat.on`, by name. Each handler gets one object. */
export interface ChatEvents {
  /**
   * A message entered a conversation: others' and the user's own, from every device. Per conversation in the order of
   * `seq`, each once, none left out, across any reconnect. After a restart with a durable storage the events go on from
   * the last position. There are no events for messages from before the first sign-in, nor for history shown on joining
   * a group: read `messages` for these.
   *
   * The position moves on when the handlers are through, with the promises that they return: at least once over a crash.
   * A handler that fails gets the event again after 1 s and 2 s more, then the failure is an `error`, and is skipped.
   */
  message: {
    readonly conversWith: string;
    readonly message: ChatMessage;
    /** `sync`: it came while this client was away. */
    readonly origin: "live" | "sync";
  };
  /**
   * A held message changed: mostly its `state`, or it was deleted. The user's own message is also announced here when
   * it is queued.
   */
  messageUpdated: { readonly conversWith: string; readonly message: ChatMessage };
  /** A conversation entered a list or changed. */
  conversation: { readonly conversation: ConversationSummary };
  /** A conversation left both lists. */
  conversationRemoved: { readonly conversWith: string };
  /** A group of this user changed. `members` without this user means that the user was removed. */
  group: { readonly group: ChatGroup };
  presence: Presence;
  typing: { readonly conversWith: string; readonly user: string; readonly typing: boolean };
  /** A user's watermarks moved forward; `user` may be this user, on another device. */
  receipt: { readonly conversWith: string; readonly user: string } & Watermarks;
  /**
   * An entry of a conversation's log that is not a message (`member_added`, `erased` …), in its place. This includes
   * kinds that this version does not know. Handlers count as those of `message` do.
   */
  event: ConversationEvent;
  status: StatusChange;
  /** The outbox changed. */
  outbox: { readonly pending: number; readonly failed: number };
  /** A failure that no promise reports. The client goes on by itself; nothing is lost. */
  error: { readonly error: ChatError };
  /**
   * The server could not continue from this client's position (restored from a backup, or too far behind): the held
   * messages were replaced by the newest ones. `message` events go on from there; `history` has the messages between.
   */
  reset: { readonly conversWith: string };
}
