import type { ConversationEvent, Range } from "@chat21/protocol";
import type { ChatMessage } from "../../api/message.ts";

/** Changes that a reducer may make to a conversation. */
export interface HeldConversation {
  /** Holds the event's message behind the others. */
  append(event: ConversationEvent): void;
  /**
   * Changes the held messages in `ranges`, except for those that already include `event`: the server answers a message
   * together with its changes by later events. `change` answers the message as it is now, or the same object.
   */
  amend(
    event: ConversationEvent,
    ranges: readonly Range[],
    change: (message: ChatMessage) => ChatMessage,
  ): void;
  /** Sets the group's name, as its log tells it. */
  setGroupName(name: string): void;
}

/** The change by an event of one kind. Called once for each event, in the order of the log. */
export type Reducer = (conversation: HeldConversation, event: ConversationEvent) => void;
