import { limits, messageStatus, topics } from "@chat21/protocol";
import type { ArchiveExit } from "./archive-exit.ts";
import { exitsOf } from "./archive-exit.ts";
import type { JsonText } from "./engine.ts";
import type { GroupNotice } from "./group-notices.ts";
import type { Outlet } from "./kinds/kind.ts";
import type { Kinds } from "./kinds/kinds.ts";
import type { WriteResult } from "./pending-run.ts";
import type { Clock } from "./ports/clock.ts";
import type { Delivery, Edge } from "./ports/edge.ts";
import type { EventSink, Fact } from "./ports/event-sink.ts";
import type { EventRecord } from "./ports/records.ts";
import type { Store } from "./ports/store.ts";
import { historyMessageJson } from "./project-message.ts";
import { RateLimiter } from "./rate-limiter.ts";
import type { WorkingConversation } from "./working-conversation.ts";

/** Ports and settings of a {@link Composer}. */
export interface ComposerOptions {
  readonly store: Store;
  readonly edge: Pick<Edge, "reaches">;
  readonly sinks: readonly EventSink[];
  readonly kinds: Kinds;
  readonly clock: Pick<Clock, "elapsed">;
}

/** Deliveries and facts of one batch, in order. */
export interface Outgoing {
  readonly deliveries: Delivery[];
  /** Deliveries of large groups. They go beside the others, so that nobody waits for thousands of copies. */
  readonly crowded: Delivery[];
  /** Changes of large groups. */
  readonly notices: GroupNotice[];
  readonly facts: Fact[];
  /** Users whose archive a conversation leaves because a message arrived, as far as the states know. */
  readonly unarchived: ArchiveExit[];
}

/** Turns committed events into deliveries for clients and facts for sinks. Changes nothing. */
export class Composer {
  readonly #options: ComposerOptions;
  /** Characters of history, by user: anybody may add a person to any number of groups. */
  readonly #replays: RateLimiter;

  constructor(options: ComposerOptions) {
    this.#options = options;
    const rate = { capacity: limits.joinReplayBurst, refillPerMinute: limits.joinReplayPerMinute };
    this.#replays = new RateLimiter(rate, options.clock);
  }

  /** Whether {@link composeWithHistory} has more to tell than {@link compose}. */
  needsHistory({ events }: WriteResult): boolean {
    return events.some((event) => this.#options.kinds.of(event.type)?.showsHistoryTo !== undefined);
  }

  /** Composes everything but the history that newcomers are shown. */
  compose(committed: readonly WriteResult[]): Outgoing {
    const outlet = new BatchOutlet(this.#options);
    for (const { state, events } of committed) for (const event of events) this.#tell(outlet, state, event);
    return outlet.out;
  }

  /** Composes everything, with the history that newcomers are shown. */
  async composeWithHistory(committed: readonly WriteResult[]): Promise<Outgoing> {
    const outlet = new BatchOutlet(this.#options);
    for (const { state, events } of committed) {
      for (const event of events) {
        this.#tell(outlet, state, event);
        const user = this.#options.kinds.of(event.type)?.showsHistoryTo?.(event) ?? null;
        if (user !== null) await this.#showHistory(outlet, event, user);
      }
    }
    return outlet.out;
  }

  #tell(outlet: BatchOutlet, state: WorkingConversation, event: EventRecord): void {
    outlet.open(state);
    this.#options.kinds.of(event.type)?.tell(event, state, outlet);
    if (event.listed && state.archivedBy.size > 0) outlet.out.unarchived.push(...exitsOf(state, event));
  }

  async #showHistory(outlet: BatchOutlet, event: EventRecord, user: string): Promise<void> {
    const { app, conversation } = event;
    const isReached = outlet.reaches(user);
    if (!isReached && !outlet.takesFacts) return;
    const earlier = await this.#options.store.events.read({
      app,
      conversation,
      before: event.seq,
      limit: limits.joinReplay,
      characters: limits.joinReplayCharacters,
      from: "newest",
      types: ["message"],
      visibleTo: user,
      withoutErased: true,
    });
    const characters = earlier.reduce((sum, { body }) => sum + body.length, 0);
    if (isReached && this.#replays.take(`${app}/${user}`, characters) > 0) return;
    const topic = topics.messageAdded(app, user, conversation);
    for (const message of earlier) {
      const payload = historyMessageJson(message, outlet.epoch);
      // Into the deliveries of small groups: a newcomer's history never waits for a large group.
      if (isReached) outlet.out.deliveries.push({ app, user, topic, payload, qos: 1 });
      const delivered = { user, conversWith: conversation, status: messageStatus.delivered, payload };
      if (outlet.takesFacts) outlet.fact({ kind: "history", event: message, delivered });
    }
  }
}

/** Gathers what the kinds tell about one batch. */
class BatchOutlet implements Outlet {
  readonly out: Outgoing = { deliveries: [], crowded: [], notices: [], facts: [], unarchived: [] };
  readonly epoch: string;
  readonly takesFacts: boolean;
  readonly #edge: Pick<Edge, "reaches">;
  #app = "";
  #deliveries = this.out.deliveries;

  constructor({ store, edge, sinks }: ComposerOptions) {
    this.epoch = store.epoch;
    this.takesFacts = sinks.length > 0;
    this.#edge = edge;
  }

  /** Sets the conversation of the next events. */
  open(state: WorkingConversation): void {
    this.#app = state.app;
    const isLarge = state.members.size > limits.interleavedMembers;
    this.#deliveries = isLarge ? this.out.crowded : this.out.deliveries;
  }

  reaches(user: string): boolean {
    return this.#edge.reaches(this.#app, user);
  }

  deliver(user: string, topic: string, payload: JsonText): void {
    this.#deliveries.push({ app: this.#app, user, topic, payload, qos: 1 });
  }

  announce(notice: GroupNotice): void {
    this.out.notices.push(notice);
  }

  fact(fact: Fact): void {
    this.out.facts.push(fact);
  }
}
