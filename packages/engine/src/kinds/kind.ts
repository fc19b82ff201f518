import type { EventKind, Overlay } from "@chat21/protocol";
import { conversWithOf, topics } from "@chat21/protocol";
import type { JsonText } from "../engine.ts";
import type { Fact } from "../ports/event-sink.ts";
import type { EventRecord } from "../ports/records.ts";
import { eventJson } from "../project-event.ts";
import { sees } from "../view/view.ts";
import type { WorkingConversation } from "../working-conversation.ts";
import type { DecisionContext, Plan } from "./plan.ts";

/**
 * A kind of event: everything that the engine needs to know of it stands in one file. The wire's side (code, data and
 * command) stands in the protocol under the same name. Router, composer, history, sync and maintenance are loops over the
 * table of kinds (`kinds.ts`).
 */
export interface Kind {
  readonly wire: EventKind;
  /** Whether an event of this kind stands in lists as a conversation's last one, and counts as unread, unless it says otherwise. */
  readonly listed: boolean;
  /**
   * Tells everybody of an event that is committed: live deliveries for clients, in the new form and in the one that old
   * clients know, and facts for webhooks and queues. Changes nothing. May be called again for the same event.
   */
  tell(event: EventRecord, state: WorkingConversation, outlet: Outlet): void;
  /** `data` of the event as readers get it. `null`: the kind has none, as a message. */
  data(event: EventRecord): JsonText | null;
  /** The command by which clients make such an event. @default only operations of the server make it */
  readonly command?: KindCommand;
  /** Present where the kind changes earlier messages. @default it changes none */
  readonly amends?: Amends;
  /** Who is shown the newest messages before the event. @default nobody */
  showsHistoryTo?(event: EventRecord): string | null;
}

/** Where a kind tells of an event. */
export interface Outlet {
  /** Epoch of the store. */
  readonly epoch: string;
  /** `false`: nobody takes facts, none need to be made. */
  readonly takesFacts: boolean;
  /** `false` only when surely no connection of the user is here. */
  reaches(user: string): boolean;
  /** One publish (QoS 1) to one user of the event's app. */
  deliver(user: string, topic: string, payload: JsonText): void;
  /** One fact for all sinks. */
  fact(fact: Fact): void;
}

/** What the command of every kind says. */
export interface KindRequest {
  readonly type: string;
  /** The sender's idempotency key of the event, too: the same command again makes nothing new. */
  readonly request_id: string;
  readonly conversWith: string;
}

/** On whose behalf a command is decided. */
export interface CommandActor {
  readonly user: string;
  readonly admin: boolean;
}

/**
 * How a command becomes events. Its schema is the wire's `command`. The engine has checked before that the actor is a
 * member (or an admin), and that every target is a message that the actor sees and nobody has erased.
 */
export interface KindCommand<Request extends KindRequest = never> {
  /** Numbers of the messages that the command is about. */
  targets(request: Request): readonly number[];
  /** Who may do it: throws `ChatError` (`forbidden`) for everybody else. Pure. */
  may(
    actor: CommandActor,
    state: WorkingConversation,
    request: Request,
    targets: readonly EventRecord[],
  ): void;
  /** What happens. Pure; may be asked again on a newer state. */
  decide(actor: CommandActor, request: Request, context: DecisionContext): Plan;
}

/** How an event changes earlier messages. Both functions are pure: overlays can be computed from the log at any time. */
export interface Amends {
  /** Numbers of the changed messages. */
  targets(event: EventRecord): readonly number[];
  /**
   * The message's overlay after the event, without its `version`. `before` is `null` for a message that nothing has
   * changed, and while an operation is decided that does not read its targets: then the result must not depend on it.
   */
  apply(before: Overlay | null, event: EventRecord): Amended;
}

/** What an event makes of a message. */
export interface Amended {
  readonly overlay: Omit<Overlay, "version">;
  /** What the sender wrote is removed from the store. @default false */
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
