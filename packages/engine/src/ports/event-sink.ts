import type { EventRecord } from "./records.ts";

/** One copy of a message: its inbox, the name of that conversation, and its state. */
export interface InboxCopy {
  readonly user: string;
  readonly conversWith: string;
  /** `messageStatus` of this copy. */
  readonly status: number;
  /** The message as it went to this inbox, JSON text. */
  readonly payload: string;
}

/** An occurrence that backends may want to hear of. */
export type Fact =
  | {
      readonly kind: "message";
      readonly event: EventRecord;
      readonly conversationKind: "direct" | "group" | "channel";
      /** The copy that announces the message once: the sender's, or the group's own. */
      readonly sent: InboxCopy;
      /** Copies for inboxes. For a group every member, the sender included. */
      readonly delivered: readonly InboxCopy[];
    }
  /** Earlier messages shown to a user who joined. */
  | { readonly kind: "history"; readonly event: EventRecord; readonly delivered: InboxCopy }
  /** Any other event of a log that its kind reports to backends. */
  | {
      readonly kind: "event";
      /** Name of the webhook. */
      readonly name: string;
      readonly event: EventRecord;
      /** The event's `data`, JSON text. */
      readonly data: string;
    }
  | {
      readonly kind: "receipt";
      readonly app: string;
      readonly conversation: string;
      /** The receiver. */
      readonly user: string;
      /** The writer. */
      readonly conversWith: string;
      /** The id that the receiver used. */
      readonly messageId: string;
      readonly at: number;
    }
  | {
      readonly kind: "archived" | "unarchived";
      readonly app: string;
      readonly conversation: string;
      readonly user: string;
      readonly conversWith: string;
      /** The conversation document, JSON text. */
      readonly document: string;
      readonly at: number;
    }
  | {
      readonly kind: "presence";
      readonly app: string;
      readonly user: string;
      readonly presence: "online" | "offline";
      readonly at: number;
    };

/**
 * Destination of facts: webhooks, push, queues. `accept` resolves when the facts are durable on the other side. It may
 * be called again with the same facts after a crash, and must then not make a second event of them (ids are derived
 * from the facts). Facts of one conversation come in order.
 */
export interface EventSink {
  readonly name: string;
  accept(facts: readonly Fact[]): Promise<void>;
}
