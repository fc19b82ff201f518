import { limits, messageStatus, topics } from "@chat21/protocol";
import type { ArchiveExit } from "./archive-exit.ts";
import { confirmExits, exitNotice } from "./archive-exit.ts";
import { Backlog } from "./backlog.ts";
import type { Outgoing } from "./composer.ts";
import { Composer } from "./composer.ts";
import { GroupNotices } from "./group-notices.ts";
import type { Kinds } from "./kinds/kinds.ts";
import type { Arrival, WriteResult } from "./pending-run.ts";
import type { Clock } from "./ports/clock.ts";
import type { Delivery, Edge } from "./ports/edge.ts";
import type { CommittedOutside } from "./ports/event-log.ts";
import type { EventSink, Fact } from "./ports/event-sink.ts";
import type { EventRecord } from "./ports/records.ts";
import type { RedeliveryLog } from "./ports/redelivery-log.ts";
import type { Store } from "./ports/store.ts";
import type { Log, Metrics } from "./ports/telemetry.ts";
import { isErased, messageJson, recipientOf } from "./project-message.ts";
import type { StateCache } from "./state-cache.ts";
import type { WorkingConversation } from "./working-conversation.ts";

/** Ports and settings of a {@link Dispatcher}. */
export interface DispatcherOptions {
  readonly store: Store;
  readonly edge: Edge;
  readonly sinks: readonly EventSink[];
  readonly kinds: Kinds;
  readonly states: StateCache;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** `undefined`: no message comes from a broker that delivers again. */
  readonly redeliveries: RedeliveryLog | undefined;
}

/** The arrival of swept events: the process that committed them may not have acknowledged them. */
const leftByAnother: Arrival = { isCurrent: () => false, again: null };
const sweepItems = 500;
/** Cleared dispatch marks are gathered for this time before they are written for an acknowledgement. */
const gatherDispatchMarksMs = 25;

/**
 * Delivers committed events: live deliveries first, then the sinks, then the dispatch mark (rule 2 of the message's
 * way). Batches go out in commit order. Events that a crash or a failing sink leaves unmarked are dispatched again.
 */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #epoch: string;
  readonly #composer: Composer;
  /** Batches that must read something before they can be delivered, and all batches behind them. */
  #chain: Promise<void> | undefined;
  /** Facts for the sinks: each batch waits for the batch before. */
  #told: Promise<void> = Promise.resolve();
  /** Deliveries of large groups, one step after the other. */
  #crowd: Promise<void> = Promise.resolve();
  readonly #notices: GroupNotices;
  /** Events between commit and dispatch mark. A sweep leaves them alone. */
  readonly #underWay = new Set<EventRecord["messageId"]>();
  /** Exits from archives that a batch is telling now, so that the next batch does not repeat them. */
  readonly #leaving = new Set<string>();
  #flush: Promise<void> | undefined;
  /** Untaken deliveries. Those of large groups are not counted, because nobody waits for them. */
  readonly #backlog: Backlog;
  #idle: (() => void)[] = [];

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#epoch = options.store.epoch;
    this.#composer = new Composer(options);
    this.#backlog = new Backlog(options.clock);
    this.#notices = new GroupNotices({ ...options, deliver: (deliveries) => this.#deliverCrowd(deliveries) });
  }

  /**
   * `undefined`: everything is out already. Otherwise resolves when everything is out, and rejects when a sink or a
   * broker did not take it. Deliveries leave in the order of the calls, and do not wait for the answers of earlier
   * calls. Events whose messages came from a broker are marked on disk by then.
   */
  dispatch(committed: readonly WriteResult[], arrivals: readonly Arrival[] = []): Promise<void> | undefined {
    if (this.#chain === undefined && !committed.some((result) => this.#composer.needsHistory(result))) {
      const out = this.#composer.compose(committed);
      return this.#send(out, committed, arrivals);
    }
    this.#enter(committed);
    const sent = (this.#chain ?? Promise.resolve()).then(async () => {
      const out = await this.#composer.composeWithHistory(committed);
      // In an array: the next batch waits until this batch is sent, not until it is taken.
      return [this.#send(out, committed, arrivals)];
    });
    const chain: Promise<void> = sent.then(
      () => this.#unchain(chain),
      () => {
        this.#unchain(chain);
        this.#leave(committed);
      },
    );
    this.#chain = chain;
    return sent.then(([taken]) => taken);
  }

  /** Dispatches events that were committed at these times and are still undispatched. */
  async sweep(committed: number | CommittedOutside): Promise<void> {
    const { store, log, metrics, states, kinds } = this.#options;
    for (;;) {
      // Events that this process is about to mark while the store is asked are not left behind either.
      const own = new Set(this.#underWay);
      const found = await store.events.undispatched(sweepItems, committed);
      // Events of later kinds are left to processes that know these kinds.
      const left = found.filter(
        ({ messageId, type }) =>
          !own.has(messageId) && !this.#underWay.has(messageId) && kinds.of(type) !== undefined,
      );
      if (left.length === 0) return;
      const held = await states.readAll(left);
      const results = left.map((event, i): WriteResult => {
        return { state: held[i] as WorkingConversation, events: [event], repeated: false };
      });
      log.info({ events: left.length }, "dispatching events that an earlier process had committed");
      metrics.count("redispatched", undefined, left.length);
      await this.dispatch(results, [leftByAnother]);
      if (found.length < sweepItems) return;
    }
  }

  /** Sends the sender its own copy again, as the answer to a repeated send. */
  repeat(event: EventRecord): void {
    if (event.type !== "message" || isErased(event)) return;
    const conversWith = recipientOf(event);
    const isGroup = conversWith === event.conversation;
    const status = isGroup ? messageStatus.delivered : messageStatus.sent;
    const topic = topics.messageAdded(event.app, event.sender, conversWith);
    const payload = messageJson(event, this.#epoch, status);
    const { edge, log } = this.#options;
    edge
      .deliver([{ app: event.app, user: event.sender, topic, payload, qos: 1 }])
      ?.catch((err: unknown) =>
        log.warn({ err }, "the answer to a repeat did not go out; the sender may ask again"),
      );
  }

  /** See {@link Backlog.backpressure}. */
  backpressure(): Promise<void> | undefined {
    return this.#backlog.backpressure();
  }

  /** Resolves when every batch is out. */
  async drained(): Promise<void> {
    while (this.#chain !== undefined) await this.#chain;
    await this.#notices.drained();
    if (this.#underWay.size > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #unchain(chain: Promise<void>): void {
    if (this.#chain === chain) this.#chain = undefined;
  }

  #enter(committed: readonly WriteResult[]): void {
    for (const { events } of committed) for (const { messageId } of events) this.#underWay.add(messageId);
  }

  #leave(committed: readonly WriteResult[]): void {
    for (const { events } of committed) for (const { messageId } of events) this.#underWay.delete(messageId);
    if (this.#underWay.size === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }

  #send(
    out: Outgoing,
    committed: readonly WriteResult[],
    arrivals: readonly Arrival[],
  ): Promise<void> | undefined {
    const taken = this.#deliver(out);
    const isDone = taken === undefined && out.facts.length === 0 && out.unarchived.length === 0;
    if (isDone && arrivals.length === 0) {
      this.#mark(committed);
      this.#leave(committed);
      return undefined;
    }
    this.#enter(committed);
    return this.#finish(out, committed, taken, arrivals);
  }

  async #finish(
    out: Outgoing,
    committed: readonly WriteResult[],
    taken: Promise<void> | undefined,
    arrivals: readonly Arrival[],
  ): Promise<void> {
    try {
      await Promise.all([taken, this.#tell(out.facts)]);
      if (out.unarchived.length > 0) await this.#unarchive(out);
      await this.#markDurably(committed, arrivals);
    } finally {
      this.#leave(committed);
    }
  }

  #tell(facts: readonly Fact[]): Promise<void> | undefined {
    if (facts.length === 0) return undefined;
    const told = this.#told.then(async () => {
      for (const sink of this.#options.sinks) await sink.accept(facts);
    });
    this.#told = told.catch(() => {});
    return told;
  }

  #deliver({ deliveries, crowded, notices }: Outgoing): Promise<void> | undefined {
    const { edge, metrics } = this.#options;
    metrics.count("deliveries", undefined, deliveries.length + crowded.length);
    const taken =
      deliveries.length > 0 ? this.#backlog.count(deliveries.length, edge.deliver(deliveries)) : undefined;
    if (crowded.length === 0 && notices.length === 0) return taken;
    const all = this.#deliverCrowd(crowded);
    return Promise.all([taken, all, ...notices.map((notice) => this.#notices.add(notice))]).then(() => {});
  }

  #deliverCrowd(deliveries: readonly Delivery[]): Promise<void> {
    const all = this.#crowd.then(() => this.#deliverInSteps(deliveries));
    this.#crowd = all.catch(() => {});
    return all;
  }

  async #deliverInSteps(deliveries: readonly Delivery[]): Promise<void> {
    for (let at = 0; at < deliveries.length; at += limits.interleavedMembers) {
      await this.#options.edge.deliver(deliveries.slice(at, at + limits.interleavedMembers));
    }
  }

  /**
   * Marks events durably. Events that this process will not acknowledge any more stay known to the next process that
   * receives their messages.
   */
  async #markDurably(committed: readonly WriteResult[], arrivals: readonly Arrival[]): Promise<void> {
    const mayAcknowledge = () => arrivals.every(({ isCurrent }) => isCurrent());
    if (!mayAcknowledge()) return this.#markRedispatched(committed);
    this.#mark(committed);
    if (arrivals.length === 0) return;
    let isAcknowledged = false;
    try {
      await this.#flushSoon();
      isAcknowledged = mayAcknowledge();
    } finally {
      // The store paused, or lost its primary, for longer than the lease: the marks are gone, or soon will be, and the
      // broker has the messages again.
      if (!isAcknowledged) await this.#options.redeliveries?.markUnacknowledged(eventsOf(committed));
    }
  }

  /** Only the broker waits for this, so many acknowledgements share one write. */
  #flushSoon(): Promise<void> {
    const { clock, store } = this.#options;
    this.#flush ??= clock.delay(gatherDispatchMarksMs).then(() => {
      this.#flush = undefined;
      return store.events.flushDispatchMarks();
    });
    return this.#flush;
  }

  async #markRedispatched(committed: readonly WriteResult[]): Promise<void> {
    const { redeliveries, metrics } = this.#options;
    if (redeliveries === undefined) return this.#mark(committed);
    const events = eventsOf(committed);
    await redeliveries.markRedispatched(events);
    metrics.count("events_dispatched", undefined, events.length);
  }

  #mark(committed: readonly WriteResult[]): void {
    const events = eventsOf(committed);
    if (events.length === 0) return;
    this.#options.store.events.markDispatched(events);
    this.#options.metrics.count("events_dispatched", undefined, events.length);
  }

  /** The archive's own mark is cleared last: after a crash or a failing sink the exit is found again. */
  async #unarchive({ unarchived }: Outgoing): Promise<void> {
    const exits: ArchiveExit[] = [];
    for (const exit of unarchived) {
      if (this.#leaving.has(nameOf(exit))) continue;
      this.#leaving.add(nameOf(exit));
      exits.push(exit);
    }
    try {
      await this.#tellExits(await confirmExits(this.#options.store.conversations, exits));
    } finally {
      for (const exit of exits) this.#leaving.delete(nameOf(exit));
    }
  }

  async #tellExits(exits: readonly ArchiveExit[]): Promise<void> {
    if (exits.length === 0) return;
    const { store, edge } = this.#options;
    const notices = exits.map(({ state: { app, conversation }, user, event }) => {
      const conversWith = recipientOf(event) === user ? event.sender : recipientOf(event);
      return exitNotice({ app, conversation, user, conversWith, at: event.timestamp });
    });
    await edge.deliver(notices.map(({ delivery }) => delivery));
    await this.#tell(notices.map(({ fact }) => fact));
    const cleared = exits.map(({ state: { app, conversation }, user }) => {
      return { app, conversation, user, archivedAt: null };
    });
    await store.conversations.patch(cleared);
    for (const { state, user } of exits) state.archivedBy.delete(user);
  }
}

function nameOf({ state: { app, conversation }, user }: ArchiveExit): string {
  return `${app}/${conversation}/${user}`;
}

function eventsOf(committed: readonly WriteResult[]): readonly EventRecord[] {
  return committed.flatMap(({ events }) => events);
}
