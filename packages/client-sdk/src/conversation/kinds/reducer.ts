import type { ConversationEvent, Range } from "@chat21/protocol";
import type { ChatMessage } from "../../api/message.ts";

/** What a reducer may do to a conversation. */
export interface HeldConversation {
  /** Holds the event's message behind the others. */
  append(event: ConversationEvent): void;
  /**
   * Changes the held messages in `ranges`, but for those that know what `event` did already: the server answers a message
   * together with what later events made of it. `change` answers the message as it is now, or the same object.
   */
  amend(
    event: ConversationEvent,
    ranges: readonly Range[],
    change: (message: ChatMessage) => ChatMessage,
  ): void;
  /** The group's name, as its log tells it. */
  setGroupName(name: string): void;
}

/** What an event of one kind changes. Called once for each event, in the order of the log. */
export type Reducer = (conversation: HeldConversation, event: ConversationEvent) => void;
