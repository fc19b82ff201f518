import type { ConversationEvent, ConversationState } from "@chat21/protocol";
import type { Watermarks } from "../api/conversation.ts";
import type { ChatGroup } from "../api/groups.ts";
import type { ChatMessage } from "../api/message.ts";

/** An event in its place: everything before it was handed on. */
export interface ReleasedEvent {
  readonly event: ConversationEvent;
  /** `false`: history for this user. It is not announced. */
  readonly fresh: boolean;
}

/** Numbers of a log, inclusive, and the events among them that this user may see, ascending. */
export interface Stretch {
  readonly conversWith: string;
  readonly from: number;
  readonly to: number;
  readonly events: readonly ConversationEvent[];
}

/** The next numbers of a log. */
export interface Advance {
  readonly conversWith: string;
  readonly from: number;
  readonly to: number;
  readonly events: readonly ReleasedEvent[];
  /** `sync`: they came while this client was away. */
  readonly origin: "live" | "sync";
}

/** A change of this client's state. Every arrival, and every action here, takes this form. */
export type Update =
  /** An event arrived, in any order, perhaps once more. */
  | { readonly type: "arrived"; readonly event: ConversationEvent }
  | ({ readonly type: "advanced" } & Advance)
  /** The held messages are replaced. `known`: some of the old ones had been announced. */
  | ({ readonly type: "restarted"; readonly head: number; readonly known: boolean } & Stretch)
  /** A page of history in front of the held messages. `asked`: the app asked for it, so it stays. */
  | ({ readonly type: "extended"; readonly asked: boolean } & Stretch)
  /** The server has another history: no held message is in it. */
  | { readonly type: "replaced" }
  /** The server is being asked: the next states may be as old as this moment. */
  | { readonly type: "asked" }
  /** A page of the answer was taken in. */
  | { readonly type: "answered" }
  | { readonly type: "state"; readonly state: ConversationState }
  | ({ readonly type: "watermarks"; readonly conversWith: string; readonly user: string } & Watermarks)
  /** A message is on a device of the counterpart, by a receipt of a client without watermarks. */
  | { readonly type: "received"; readonly conversWith: string; readonly messageId: string }
  /** This user has read up to that number, on this device. */
  | { readonly type: "read"; readonly conversWith: string; readonly seq: number }
  /** This user, here or on another device, changed a flag. */
  | {
      readonly type: "flagged";
      readonly conversWith: string;
      readonly archived?: boolean;
      /** The last message that the archive took in. @default the last one that is known here */
      readonly archivedAt?: number | undefined;
      readonly markedUnread?: boolean;
    }
  /** A message of the outbox is new or has changed. `loaded`: an earlier run has announced it. */
  | {
      readonly type: "queued";
      readonly conversWith: string;
      readonly message: ChatMessage;
      readonly loaded?: boolean;
    }
  /** A message has left the outbox. */
  | { readonly type: "unqueued"; readonly conversWith: string; readonly clientMessageId: string }
  | { readonly type: "typing"; readonly conversWith: string; readonly user: string; readonly typing: boolean }
  | { readonly type: "group"; readonly group: ChatGroup };

/** Applies an update. When it returns, all state has changed and all listeners were told. */
export type Dispatch = (update: Update) => void;
