import { limits, messageStatus, topics } from "@chat21/protocol";
import type { ArchiveExit } from "./archive-exit.ts";
import { confirmExits } from "./archive-exit.ts";
import type { ConversationState } from "./conversation-state.ts";
import { sees } from "./conversation-state.ts";
import type { GroupEventBody } from "./decide/group-event.ts";
import type { WriteResult } from "./pending-run.ts";
import type { Clock } from "./ports/clock.ts";
import type { Delivery, Edge } from "./ports/edge.ts";
import type { EventSink, Fact, InboxCopy } from "./ports/event-sink.ts";
import type { EventRecord } from "./ports/records.ts";
import type { Store } from "./ports/store.ts";
import type { Log, Metrics } from "./ports/telemetry.ts";
import { groupFacts, groupJson } from "./project-conversation.ts";
import { eventJson } from "./project-event.ts";
import { historyMessageJson, messageJson, recipientOf } from "./project-message.ts";
import type { StateCache } from "./state-cache.ts";

/** What a dispatcher needs. */
export interface DispatcherOptions {
  readonly store: Store;
  readonly edge: Edge;
  readonly sinks: readonly EventSink[];
  readonly states: StateCache;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** Deliveries and facts of one batch, in order. */
interface Outgoing {
  readonly deliveries: Delivery[];
  readonly facts: Fact[];
  /** Users whose archive a message leaves by arriving. */
  readonly unarchived: ArchiveExit[];
}

/** Only what has stayed undispatched for so long is looked at again. */
const staleAfterMs = 2_000;
const sweepItems = 500;

/**
 * Tells the world of committed events: live deliveries, then the sinks, then the mark (rule 2 of the message's way).
 * Batches go out in commit order. Whatever a crash or a failing sink leaves unmarked is dispatched again.
 */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #epoch: string;
  #chain: Promise<void> | undefined;
  /** Events between commit and mark: a sweep leaves them alone. */
  readonly #underWay = new Set<EventRecord["messageId"]>();

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#epoch = options.store.epoch;
  }

  /** `undefined`: everything is out already; otherwise resolves when it is, rejects when a sink did not take it. */
  dispatch(committed: readonly WriteResult[]): Promise<void> | undefined {
    if (this.#chain === undefined && this.#options.sinks.length === 0 && !committed.some(needsHistory)) {
      const out = emptyOutgoing();
      for (const { state, events } of committed) for (const event of events) this.#add(out, state, event);
      this.#deliver(out);
      this.#mark(committed);
      return out.unarchived.length === 0 ? undefined : this.#unarchive(out);
    }
    for (const { events } of committed) for (const { messageId } of events) this.#underWay.add(messageId);
    const turn = (this.#chain ?? Promise.resolve()).then(() => this.#dispatchSlowly(committed));
    const settled: Promise<void> = turn.then(
      () => this.#leave(settled, committed),
      () => this.#leave(settled, committed),
    );
    this.#chain = settled;
    return turn;
  }

  /** Dispatches what has stayed undispatched: at start everything, later what is older than two seconds. */
  async sweep(everything = false): Promise<void> {
    const { store, clock, log, metrics, states } = this.#options;
    const before = everything ? Number.MAX_SAFE_INTEGER : clock.now() - staleAfterMs;
    for (;;) {
      const found = await store.events.undispatched(sweepItems, before);
      const left = found.filter(({ messageId }) => !this.#underWay.has(messageId));
      if (left.length === 0) return;
      await states.load(left);
      const results = left.flatMap((event): WriteResult[] => {
        const state = states.get(event.app, event.conversation);
        return state === undefined ? [] : [{ state, events: [event], repeated: false }];
      });
      log.info({ events: left.length }, "dispatching events that an earlier process had committed");
      metrics.count("redispatched", undefined, left.length);
      await this.dispatch(results);
      if (found.length < sweepItems) return;
    }
  }

  /** Sends one sender its own copy again: the answer to a repeat. */
  repeat(event: EventRecord): void {
    if (event.type !== "message") return;
    const conversWith = recipientOf(event);
    const isGroup = conversWith === event.conversation;
    const status = isGroup ? messageStatus.delivered : messageStatus.sent;
    const topic = topics.messageAdded(event.app, event.sender, conversWith);
    const payload = messageJson(event, this.#epoch, status);
    this.#options.edge.deliver([{ app: event.app, user: event.sender, topic, payload, qos: 1 }]);
  }

  /** Resolves when everything given is out. */
  async drained(): Promise<void> {
    while (this.#chain !== undefined) await this.#chain;
  }

  #leave(settled: Promise<void>, committed: readonly WriteResult[]): void {
    for (const { events } of committed) for (const { messageId } of events) this.#underWay.delete(messageId);
    if (this.#chain === settled) this.#chain = undefined;
  }

  async #dispatchSlowly(committed: readonly WriteResult[]): Promise<void> {
    const out = emptyOutgoing();
    for (const { state, events } of committed) {
      for (const event of events) {
        this.#add(out, state, event);
        if (event.type === "member_added") await this.#addHistory(out, state, event);
      }
    }
    this.#deliver(out);
    for (const sink of this.#options.sinks) if (out.facts.length > 0) await sink.accept(out.facts);
    if (out.unarchived.length > 0) await this.#unarchive(out);
    this.#mark(committed);
  }

  #deliver(out: Outgoing): void {
    this.#options.metrics.count("deliveries", undefined, out.deliveries.length);
    if (out.deliveries.length > 0) this.#options.edge.deliver(out.deliveries);
  }

  #mark(committed: readonly WriteResult[]): void {
    const events = committed.flatMap((result) => result.events);
    if (events.length === 0) return;
    this.#options.store.events.markDispatched(events);
    this.#options.metrics.count("events_dispatched", undefined, events.length);
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
    for (const { user, intervals } of state.members.values()) {
      if (user === event.hiddenFor || !sees(intervals, event.seq)) continue;
      if (edge.reaches(app, user)) {
        out.deliveries.push({
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
    for (const { user, intervals } of state.members.values()) {
      if (!sees(intervals, event.seq) || body.except?.includes(user) || !edge.reaches(app, user)) continue;
      out.deliveries.push({ app, user, topic: topics.event(app, user, conversation), payload, qos: 1 });
      if (announced === null) continue;
      out.deliveries.push({
        app,
        user,
        topic: topics.groupUpdated(app, user, conversation),
        payload: announced,
        qos: 1,
      });
    }
  }

  async #addHistory(out: Outgoing, state: ConversationState, event: EventRecord): Promise<void> {
    const { edge, store, sinks } = this.#options;
    const { app, conversation } = event;
    const user = (JSON.parse(event.body) as GroupEventBody).member_id;
    if (user === undefined || (!edge.reaches(app, user) && sinks.length === 0)) return;
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

  /** The archive's own mark is cleared last: a crash, or a sink that fails, finds the exit again. */
  async #unarchive(out: Outgoing): Promise<void> {
    const { store, edge, sinks } = this.#options;
    try {
      const unarchived = await confirmExits(store.conversations, out.unarchived);
      if (unarchived.length === 0) return;
      const facts = unarchived.map(({ state, user, event }): Fact => {
        const { app, conversation } = state;
        const conversWith = recipientOf(event) === user ? event.sender : recipientOf(event);
        const document = `{"timelineOf":"${user}","conversWith":"${conversWith}"}`;
        const topic = topics.archivedConversationDeleted(app, user, conversWith);
        edge.deliver([{ app, user, topic, payload: document, qos: 1 }]);
        return { kind: "unarchived", app, conversation, user, conversWith, document, at: event.timestamp };
      });
      for (const sink of sinks) await sink.accept(facts);
      const { conversations } = store;
      await conversations.patch(
        unarchived.map(({ state: { app, conversation }, user }) => ({
          app,
          conversation,
          user,
          archivedAt: null,
        })),
      );
    } catch (thrown) {
      for (const { state, user } of out.unarchived) state.archivedBy.add(user);
      throw thrown;
    }
  }
}

function needsHistory({ events }: WriteResult): boolean {
  return events.some(({ type }) => type === "member_added");
}

function emptyOutgoing(): Outgoing {
  return { deliveries: [], facts: [], unarchived: [] };
}
