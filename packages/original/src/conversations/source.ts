import type { GroupRecord } from "@chat21/engine";
import type { OriginalDocument } from "../documents/copy.ts";

/** What an original's `conversations` say of one person's place. */
export interface OriginalListEntry {
  readonly isNew: boolean;
  readonly isArchived: boolean;
}

/** What an original's `groups` say. */
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
  /** Messages that the source has, before any is refused for its content. */
  readonly messages: number;
  /** Id of the last one; `null` when there is none. */
  readonly lastMessageId: string | null;
  /** `null`: direct, or a group that nobody created. */
  readonly group: OriginalGroup | null;
  /** By user id. */
  readonly entries: ReadonlyMap<string, OriginalListEntry>;
}

/** Whose copy says which state; `owner: null` is the group's own timeline. */
export interface OriginalCopyState {
  readonly owner: string | null;
  readonly status: number;
}

/** A message with all its copies. */
export interface OriginalMessage {
  readonly messageId: string;
  /** Milliseconds: the earliest that a copy says. */
  readonly timestamp: number;
  readonly isTimeKnown: boolean;
  /** At least one. */
  readonly copies: readonly OriginalCopyState[];
  /** Receipts that called the message by its temporary id. */
  readonly receipts: readonly OriginalCopyState[];
  /** The copy whose content counts; `null` when it is gone. */
  readonly document: OriginalDocument | null;
}

/** A stretch of one conversation's messages. */
export interface OriginalPage {
  readonly conversation: OriginalConversation;
  /** Ascending by (timestamp, message id), and behind those of the conversation's page before. */
  readonly messages: readonly OriginalMessage[];
  /** Whether the conversation ends here. */
  readonly isLast: boolean;
}

/** Where conversations come from, in pieces that fit into memory. */
export interface OriginalSource {
  /** Each conversation once. */
  conversations(): AsyncIterable<OriginalConversation>;
  /** Pages of these conversations, one conversation after the other, each with a last page. */
  read(conversations: readonly OriginalConversation[]): AsyncIterable<OriginalPage>;
}
