import type { GroupRecord } from "@chat21/engine";
import type { OriginalDocument } from "../documents/copy.ts";

/** One person's place in an original's `conversations`. */
export interface OriginalListEntry {
  readonly isNew: boolean;
  readonly isArchived: boolean;
}

/** A group in an original's `groups`. */
export interface OriginalGroup {
  readonly record: GroupRecord;
  /** Present members, in their order, without repeats. */
  readonly members: readonly string[];
}

/** A conversation to import. */
export interface OriginalConversation {
  readonly app: string;
  readonly conversation: string;
  readonly kind: "direct" | "group";
  /** Number of messages in the source, before any is refused for its content. */
  readonly messages: number;
  /** Id of the last message; `null` without messages. */
  readonly lastMessageId: string | null;
  /** `null`: direct, or a group that was never created. */
  readonly group: OriginalGroup | null;
  /** By user id. */
  readonly entries: ReadonlyMap<string, OriginalListEntry>;
}

/** The state of one owner's copy; `owner: null` is the group's own timeline. */
export interface OriginalCopyState {
  readonly owner: string | null;
  readonly status: number;
}

/** A message with all its copies. */
export interface OriginalMessage {
  readonly messageId: string;
  /** Milliseconds: the earliest time of the copies. */
  readonly timestamp: number;
  readonly isTimeKnown: boolean;
  /** At least one. */
  readonly copies: readonly OriginalCopyState[];
  /** Receipts that named the message by its temporary id. */
  readonly receipts: readonly OriginalCopyState[];
  /** The copy whose content counts; `null` when it is gone. */
  readonly document: OriginalDocument | null;
}

/** A stretch of one conversation's messages. */
export interface OriginalPage {
  readonly conversation: OriginalConversation;
  /** Ascending by (timestamp, message id), and behind those of the conversation's previous page. */
  readonly messages: readonly OriginalMessage[];
  /** Whether the conversation ends here. */
  readonly isLast: boolean;
}

/** Source of conversations, in pieces that fit into memory. */
export interface OriginalSource {
  /** Each conversation once. */
  conversations(): AsyncIterable<OriginalConversation>;
  /** Pages of these conversations, one conversation after the other, each with a last page. */
  read(conversations: readonly OriginalConversation[]): AsyncIterable<OriginalPage>;
}
