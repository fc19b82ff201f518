import type { EventKind, Overlay } from "@chat21/protocol";
import { conversWithOf, topics } from "@chat21/protocol";
import type { JsonText } from "../engine.ts";
import type { GroupNotice } from "../group-notices.ts";
import type { Fact } from "../ports/event-sink.ts";
import type { EventRecord } from "../ports/records.ts";
import { eventJson } from "../project-event.ts";
import { sees } from "../view/view.ts";
import type { WorkingConversation } from "../working-conversation.ts";
import type { DecisionContext, Plan } from "./plan.ts";

/**
 * A kind of event. One file holds everything that the engine needs to know about it. The wire's side (code, data and
 * command) is in the protocol under the same name. Router, composer, history, sync and maintenance are loops over the
 * table of kinds (`kinds.ts`).
 */
export interface Kind {
  readonly wire: EventKind;
  /**
   * Whether an event of this kind can be a conversation's last one in lists and counts as unread. An event may say
   * otherwise.
   */
  readonly listed: boolean;
  /**
   * Tells about a committed event: live deliveries for clients, in the new form and in the form that old clients know,
   * and facts for webhooks and queues. Changes nothing. May be called again for the same event.
   */
  tell(event: EventRecord, state: WorkingConversation, outlet: Outlet): void;
  /** `data` of the event as readers get it. `null`: the kind has no data, such as a message. */
  data(event: EventRecord): JsonText | null;
  /** The command by which clients make such an event. @default only operations of the server make it */
  readonly command?: KindCommand;
  /** Present where the kind changes earlier messages. @default it changes none */
  readonly amends?: Amends;
  /** The user who is shown the newest messages before the event. @default nobody */
  showsHistoryTo?(event: EventRecord): string | null;
}

/** The destination of what a kind tells about an event. */
export interface Outlet {
  /** Epoch of the store. */
  readonly epoch: string;
  /** `false`: no sink takes facts, so none need to be made. */
  readonly takesFacts: boolean;
  /** `false` only when this process surely has no connection of the user. */
  reaches(user: string): boolean;
  /** One publish (QoS 1) to one user of the event's app. */
  deliver(user: string, topic: string, payload: JsonText): void;
  /** S6 of a large group for its present members, together with the changes that follow soon. */
  announce(notice: GroupNotice): void;
  /** One fact for all sinks. */
  fact(fact: Fact): void;
}

/** Fields of every kind's command. */
export interface KindRequest {
  readonly type: string;
  /** Also the sender's idempotency key of the event: the same command again makes nothing new. */
  readonly request_id: string;
  readonly conversWith: string;
}

/** The user on whose behalf a command is decided. */
export interface CommandActor {
  readonly user: string;
  readonly admin: boolean;
}

/**
 * How a command becomes events. Its schema is the wire's `command`. The engine has already checked that the actor is a
 * member (or an admin), and that every target is a message that the actor sees and that is not erased.
 */
export interface KindCommand<Request extends KindRequest = never> {
  /** Numbers of the messages that the command is about. */
  targets(request: Request): readonly number[];
  /** Checks the actor's right to do it. Throws `ChatError` (`forbidden`) without that right. Pure. */
  may(
    actor: CommandActor,
    state: WorkingConversation,
    request: Request,
    targets: readonly EventRecord[],
  ): void;
  /** Decides the events. Pure; may be called again on a newer state. */
  decide(actor: CommandActor, request: Request, context: DecisionContext): Plan;
}

/**
 * The change of earlier messages by an event. Both functions are pure: overlays can be computed from the log at any
 * time.
 */
export interface Amends {
  /** Numbers of the changed messages. */
  targets(event: EventRecord): readonly number[];
  /**
   * The message's overlay after the event, without its `version`. `before` is `null` for an unchanged message, and
   * while an operation that does not read its targets is decided: then the result must not depend on it.
   */
  apply(before: Overlay | null, event: EventRecord): Amended;
}

/** The change of a message by an event. */
export interface Amended {
  readonly overlay: Omit<Overlay, "version">;
  /** The sender's text is removed from the store. @default false */
  readonly erases?: boolean;
}

/** Tells an event, as it is in the log, to every connected member who sees its number. */
export function tellMembers(
  event: EventRecord,
  state: WorkingConversation,
  outlet: Outlet,
  data: JsonText,
): void {
  const { app, conversation, seq } = event;
  for (const { user, intervals } of state.members.values()) {
    if (!sees(intervals, seq) || !outlet.reaches(user)) continue;
    const conversWith = conversWithOf(conversation, user);
    const payload = eventJson(event, outlet.epoch, conversWith, data);
    outlet.deliver(user, topics.event(app, user, conversWith), payload);
  }
}

/** The text of a message's overlay after the event. */
export function overlayText({ overlay }: Amended, event: EventRecord): JsonText {
  return JSON.stringify({ ...overlay, version: event.seq });
}
