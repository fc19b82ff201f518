import { limits, messageStatus, topics } from "@chat21/protocol";
import type { ArchiveExit } from "./archive-exit.ts";
import type { ConversationState } from "./conversation-state.ts";
import type { GroupEventBody } from "./decide/group-event.ts";
import type { WriteResult } from "./pending-run.ts";
import type { Delivery, Edge } from "./ports/edge.ts";
import type { EventSink, Fact, InboxCopy } from "./ports/event-sink.ts";
import type { EventRecord } from "./ports/records.ts";
import type { Store } from "./ports/store.ts";
import { groupFacts, groupJson } from "./project-conversation.ts";
import { eventJson } from "./project-event.ts";
import { historyMessageJson, messageJson, recipientOf } from "./project-message.ts";
import { sees } from "./view/view.ts";

/** What a composer needs. */
export interface ComposerOptions {
  readonly store: Store;
  readonly edge: Pick<Edge, "reaches">;
  readonly sinks: readonly EventSink[];
}

/** Deliveries and facts of one batch, in order. */
export interface Outgoing {
  readonly deliveries: Delivery[];
  /** Those of large groups: they go beside the others, so that nobody waits for thousands of copies. */
  readonly crowded: Delivery[];
  readonly facts: Fact[];
  /** Users whose archive a message leaves by arriving. */
  readonly unarchived: ArchiveExit[];
}

/** Turns committed events into what clients and sinks are told of them. */
export class Composer {
  readonly #options: ComposerOptions;
  readonly #epoch: string;

  constructor(options: ComposerOptions) {
    this.#options = options;
    this.#epoch = options.store.epoch;
  }

  /** Everything but the history that newcomers are shown. */
  compose(committed: readonly WriteResult[]): Outgoing {
    const out: Outgoing = { deliveries: [], crowded: [], facts: [], unarchived: [] };
    for (const { state, events } of committed) for (const event of events) this.#add(out, state, event);
    return out;
  }

  /** Everything. */
  async composeWithHistory(committed: readonly WriteResult[]): Promise<Outgoing> {
    const out: Outgoing = { deliveries: [], crowded: [], facts: [], unarchived: [] };
    for (const { state, events } of committed) {
      for (const event of events) {
        this.#add(out, state, event);
        if (event.type === "member_added") await this.#addHistory(out, state, event);
      }
    }
    return out;
  }

  #add(out: Outgoing, state: ConversationState, event: EventRecord): void {
    if (event.type === "message") {
      if (state.kind === "direct") this.#addDirect(out, state, event);
      else this.#addGroup(out, state, event);
      if (event.listed && state.archivedBy.size > 0) this.#collectUnarchived(out, state, event);
    } else if (event.type !== "erased") this.#addGroupEvent(out, state, event);
  }

  #addDirect(out: Outgoing, state: ConversationState, event: EventRecord): void {
    const { sender } = event;
    const recipient = recipientOf(event);
    const members = this.#options.sinks.length > 0;
    const sent = this.#copy(out, event, sender, recipient, messageStatus.sent, members);
    const delivered =
      event.hiddenFor === recipient
        ? null
        : this.#copy(out, event, recipient, sender, messageStatus.delivered, members);
    if (!members || sent === null) return;
    const copies = delivered === null ? [] : [delivered];
    out.facts.push({ kind: "message", event, conversationKind: state.kind, sent, delivered: copies });
  }

  #copy(
    out: Outgoing,
    event: EventRecord,
    user: string,
    conversWith: string,
    status: number,
    wanted: boolean,
  ): InboxCopy | null {
    const reached = this.#options.edge.reaches(event.app, user);
    if (!reached && !wanted) return null;
    const payload = messageJson(event, this.#epoch, status);
    if (reached) {
      const topic = topics.messageAdded(event.app, user, conversWith);
      out.deliveries.push({ app: event.app, user, topic, payload, qos: 1 });
    }
    return wanted ? { user, conversWith, status, payload } : null;
  }

  #addGroup(out: Outgoing, state: ConversationState, event: EventRecord): void {
    const { edge, sinks } = this.#options;
    const { app, conversation } = event;
    const payload = messageJson(event, this.#epoch, messageStatus.delivered);
    const delivered: InboxCopy[] = [];
    const deliveries = this.#deliveriesTo(out, state);
    for (const { user, intervals } of state.members.values()) {
      if (user === event.hiddenFor || !sees(intervals, event.seq)) continue;
      if (edge.reaches(app, user)) {
        deliveries.push({
          app,
          user,
          topic: topics.messageAdded(app, user, conversation),
          payload,
          qos: 1,
        });
      }
      if (sinks.length > 0) {
        delivered.push({ user, conversWith: conversation, status: messageStatus.delivered, payload });
      }
    }
    if (sinks.length === 0) return;
    const timeline = messageJson(event, this.#epoch, messageStatus.sent);
    const sent = {
      user: conversation,
      conversWith: conversation,
      status: messageStatus.sent,
      payload: timeline,
    };
    out.facts.push({ kind: "message", event, conversationKind: state.kind, sent, delivered });
  }

  #addGroupEvent(out: Outgoing, state: ConversationState, event: EventRecord): void {
    const { edge } = this.#options;
    const { app, conversation } = event;
    const body = JSON.parse(event.body) as GroupEventBody;
    const payload = eventJson(event, this.#epoch, conversation);
    const announced =
      body.announce && state.group !== null
        ? groupJson(groupFacts(state, state.group), { withId: true, notification: body.notification })
        : null;
    const except = new Set(body.except);
    const deliveries = this.#deliveriesTo(out, state);
    for (const { user, intervals } of audienceOf(state, body)) {
      if (!sees(intervals, event.seq) || except.has(user) || !edge.reaches(app, user)) continue;
      deliveries.push({ app, user, topic: topics.event(app, user, conversation), payload, qos: 1 });
      if (announced === null) continue;
      deliveries.push({
        app,
        user,
        topic: topics.groupUpdated(app, user, conversation),
        payload: announced,
        qos: 1,
      });
    }
  }

  #deliveriesTo(out: Outgoing, state: ConversationState): Delivery[] {
    return state.members.size > limits.interleavedMembers ? out.crowded : out.deliveries;
  }

  async #addHistory(out: Outgoing, state: ConversationState, event: EventRecord): Promise<void> {
    const { edge, store, sinks } = this.#options;
    const { app, conversation } = event;
    const { member_id: user, quiet } = JSON.parse(event.body) as GroupEventBody;
    if (user === undefined || quiet === true || (!edge.reaches(app, user) && sinks.length === 0)) return;
    const earlier = await store.events.read({
      app,
      conversation,
      before: event.seq,
      limit: limits.joinReplay,
      from: "newest",
      types: ["message"],
      visibleTo: user,
    });
    const topic = topics.messageAdded(app, user, conversation);
    for (const message of earlier) {
      const payload = historyMessageJson(message, this.#epoch);
      if (edge.reaches(app, user)) out.deliveries.push({ app, user, topic, payload, qos: 1 });
      const delivered = { user, conversWith: state.conversation, status: messageStatus.delivered, payload };
      if (sinks.length > 0) out.facts.push({ kind: "history", event: message, delivered });
    }
  }

  #collectUnarchived(out: Outgoing, state: ConversationState, event: EventRecord): void {
    for (const user of state.archivedBy) {
      const member = state.members.get(user);
      if (member === undefined || user === event.hiddenFor || !sees(member.intervals, event.seq)) continue;
      state.archivedBy.delete(user);
      out.unarchived.push({ state, user, event });
    }
  }
}

function audienceOf(state: ConversationState, { quiet, member_id: about }: GroupEventBody) {
  if (quiet !== true) return state.members.values();
  const member = about === undefined ? undefined : state.members.get(about);
  return member === undefined ? [] : [member];
}
