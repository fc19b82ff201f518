import { ChatError } from "@chat21/protocol";
import type { Kinds } from "./kinds/kinds.ts";
import type { Decide, DecisionContext } from "./kinds/plan.ts";
import { advance } from "./kinds/plan.ts";
import type { OutcomesOptions } from "./outcomes.ts";
import { Outcomes } from "./outcomes.ts";
import type { Arrival, PendingRun, PlanFacts, Share, WriteItem, WriteResult } from "./pending-run.ts";
import { runOf, storedPart } from "./pending-run.ts";
import type { Clock } from "./ports/clock.ts";
import type { RunResult } from "./ports/event-log.ts";
import type { EventRecord } from "./ports/records.ts";
import type { RedeliveryLog } from "./ports/redelivery-log.ts";
import type { Store } from "./ports/store.ts";
import type { Log } from "./ports/telemetry.ts";
import { RepeatsByBroker } from "./repeats-by-broker.ts";
import { Targets } from "./targets.ts";
import type { WorkingConversation } from "./working-conversation.ts";

/** Ports and settings of a {@link Writer}. */
export interface WriterOptions extends OutcomesOptions {
  readonly store: Store;
  readonly kinds: Kinds;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly log: Log;
  readonly batchItems: number;
  /** `undefined`: no message comes from a broker that delivers again. */
  readonly redeliveries: RedeliveryLog | undefined;
  /** `undefined`: the next batch may begin. Otherwise resolves when it may begin. */
  readonly backpressure: () => Promise<void> | undefined;
  /** Called when the store stops answering, and when it answers again. */
  readonly onStoreHealth: (healthy: boolean) => void;
}

/** How a command is written, beside its decision. */
export interface WriteOptions {
  /** `app/sender/id` of the idempotency key. @default the command has none */
  readonly repeatKey?: string | null;
  /** The broker's arrival of the command. @default no broker brought it */
  readonly arrival?: Arrival | undefined;
  /** Numbers of the messages that the decision is about. @default none */
  readonly targets?: readonly number[];
}

const noTargets: readonly number[] = [];
const firstRetryMs = 100;
const lastRetryMs = 2_000;

/**
 * Turns commands into events: gathers commands while a batch commits, decides in order of arrival, gives numbers,
 * commits (`ADR-0002`). Only one batch is under way at a time. Its size follows the load, and the pace at which the
 * edge takes deliveries.
 */
export class Writer {
  readonly #options: WriterOptions;
  readonly #context: { now: number } & Pick<DecisionContext, "newId" | "target">;
  /** Input of the command under decision. */
  #deciding: { readonly state: WorkingConversation; readonly targets: Targets } | undefined;
  readonly #repeats: RepeatsByBroker;
  readonly #outcomes: Outcomes;
  #queue: WriteItem[] = [];
  #running = false;
  #retryMs = firstRetryMs;
  #idle: (() => void)[] = [];

  constructor(options: WriterOptions) {
    this.#options = options;
    this.#context = {
      now: 0,
      newId: options.newId,
      target: (seq) => this.#deciding?.targets.find(this.#deciding.state, seq) ?? null,
    };
    this.#repeats = new RepeatsByBroker(options.redeliveries);
    this.#outcomes = new Outcomes(options);
  }

  /**
   * Resolves when the command is committed and dispatched; rejects with the rule's or the store's `ChatError`, and with
   * `shutting_down` when the command does not belong to this process any more.
   */
  write(
    app: string,
    conversation: string,
    decide: Decide,
    { repeatKey = null, arrival, targets = noTargets }: WriteOptions = {},
  ): Promise<WriteResult> {
    return new Promise((settle, fail) => {
      this.#queue.push({
        app,
        conversation,
        decide,
        repeatKey,
        settle,
        fail,
        arrival,
        targets,
        alone: false,
        reconsidered: !this.#options.isShared,
      });
      this.#wake();
    });
  }

  /**
   * Answers callers whose events were committed before `committedBefore` (`Clock.elapsed`) and are not dispatched yet: committed
   * events will be dispatched, and callers need not wait for a broker that is away.
   */
  releaseOverdue(committedBefore: number): void {
    this.#outcomes.releaseOverdue(committedBefore);
  }

  /** Resolves when nothing is waiting and nothing is under way. */
  async drained(): Promise<void> {
    while (this.#running) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #wake(): void {
    if (this.#running) return;
    this.#running = true;
    this.#options.clock.soon(() => void this.#run());
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0) {
      if (this.#queue.length < this.#options.batchItems) await this.#options.backpressure();
      const batch = this.#take();
      try {
        const answered = await this.#process(batch);
        // While the edge is paused no other write would test the store: with an empty queue an outage is over, too.
        if (this.#retryMs !== firstRetryMs && (answered || this.#queue.length === 0)) this.#recovered();
      } catch (thrown) {
        const error = ChatError.fromUnknown(thrown);
        if (error.code === "store_unavailable") await this.#backOff(batch, error);
        else this.#isolate(batch, error);
      }
    }
    this.#running = false;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  /**
   * At most `batchItems` items. Of items with the same idempotency key only one is taken, so that the store sees the
   * repeat.
   */
  #take(): WriteItem[] {
    const { batchItems } = this.#options;
    if (this.#queue[0]?.alone) return this.#queue.splice(0, 1);
    const batch: WriteItem[] = [];
    const seen = new Set<string>();
    let taken = 0;
    for (const item of this.#queue) {
      if (batch.length >= batchItems || item.alone) break;
      if (item.repeatKey !== null) {
        if (seen.has(item.repeatKey)) break;
        seen.add(item.repeatKey);
      }
      batch.push(item);
      taken++;
    }
    this.#queue = taken === this.#queue.length ? [] : this.#queue.slice(taken);
    return batch;
  }

  /** Answers whether the store took the batch. Throws only before the first decision. */
  async #process(batch: readonly WriteItem[]): Promise<boolean> {
    const { states, metrics, clock, store, kinds } = this.#options;
    metrics.observe("batch_items", batch.length);
    await states.load(batch);
    const candidates = await this.#repeats.candidates(batch);
    const targets = batch.some((item) => item.targets.length > 0)
      ? await Targets.read(store.events, kinds, batch)
      : Targets.none(kinds);
    this.#context.now = clock.now();
    const decidedAt = clock.elapsed();
    const pending = this.#decide(batch, candidates, targets);
    if (pending.length === 0) return true;
    const startedMs = clock.elapsed();
    const { results, answered } = await this.#commit(pending);
    if (results === null) return answered;
    metrics.observe("commit_seconds", (clock.elapsed() - startedMs) / 1_000);
    const again = this.#outcomes.settle(pending, results, decidedAt);
    if (again.length > 0) this.#queue = [...again, ...this.#queue];
    return answered;
  }

  #decide(
    batch: readonly WriteItem[],
    candidates: ReadonlyMap<string, readonly EventRecord[]>,
    targets: Targets,
  ): PendingRun[] {
    const { kinds } = this.#options;
    const runs = new Map<WorkingConversation, { shares: Share[]; head: number; plans: PlanFacts }>();
    const later: WriteItem[] = [];
    const doubted = new Set<WorkingConversation>();
    for (const item of batch) {
      // Checked here: after all reads, and before other work can run (ADR 0010).
      if (item.arrival?.isCurrent() === false) {
        item.fail(new ChatError("shutting_down", "another process has taken this over"));
        continue;
      }
      const state = this.#options.states.get(item.app, item.conversation);
      // A reader may have pushed it out of the cache since it was loaded.
      if (state === undefined || doubted.has(state)) {
        later.push(item);
        continue;
      }
      const repeated = this.#repeats.match(item, candidates);
      if (repeated !== undefined) {
        item.settle({ state, events: [repeated], repeated: true });
        continue;
      }
      try {
        const head = state.head;
        if (item.targets.length > 0) this.#deciding = { state, targets };
        const plan = item.decide(state, this.#context);
        if (plan.events.length === 0 && this.#reconsider(item, state, doubted, later)) continue;
        const events = advance(state, plan, this.#context.now, kinds);
        let entry = runs.get(state);
        if (entry === undefined) {
          entry = {
            shares: [],
            head,
            plans: { group: undefined, members: new Set(), amendments: new Map() },
          };
          runs.set(state, entry);
        }
        entry.shares.push({ item, events });
        if (plan.group !== undefined) entry.plans.group = true;
        for (const { user } of plan.members ?? []) entry.plans.members.add(user);
        targets.amend(state, events, entry.plans);
      } catch (thrown) {
        if (!this.#reconsider(item, state, doubted, later)) item.fail(ChatError.fromUnknown(thrown));
      }
    }
    for (const { app, conversation } of doubted) this.#options.states.forget(app, conversation);
    if (later.length > 0) this.#queue = [...later, ...this.#queue];
    const pending: PendingRun[] = [];
    for (const [state, { shares, head, plans }] of runs) {
      // An item without changes is only settled when the events before it in the batch are stored.
      if (state.head > head) pending.push({ state, shares, run: runOf(state, head, shares, plans) });
      else for (const { item } of shares) item.settle({ state, events: [], repeated: false });
    }
    return pending;
  }

  /**
   * Whether the item must be decided once more. The number of an event proves a change of the log, but a refusal, or a
   * plan that changes nothing, has no number. Later items of the conversation wait for it.
   */
  #reconsider(
    item: WriteItem,
    state: WorkingConversation,
    doubted: Set<WorkingConversation>,
    later: WriteItem[],
  ): boolean {
    if (item.reconsidered) return false;
    item.reconsidered = true;
    doubted.add(state);
    later.push(item);
    return true;
  }

  /** `results: null`: the store refused for good; the items are queued again, one by one. */
  async #commit(
    pending: readonly PendingRun[],
  ): Promise<{ readonly results: readonly RunResult[] | null; readonly answered: boolean }> {
    try {
      const results = await this.#options.store.events.commit(pending.map(({ run }) => run));
      return { results, answered: true };
    } catch (thrown) {
      const error = ChatError.fromUnknown(thrown);
      for (const { run } of pending) this.#options.states.forget(run.app, run.conversation);
      if (error.code === "store_unavailable") {
        return { results: await this.#afterUnknownOutcome(pending, error), answered: false };
      }
      this.#isolate(
        pending.flatMap(({ shares }) => shares.map(({ item }) => item)),
        error,
      );
      return { results: null, answered: true };
    }
  }

  /** Reads by id which events the failed commit has stored; throws the error again while the store does not answer. */
  async #afterUnknownOutcome(
    pending: readonly PendingRun[],
    error: ChatError,
  ): Promise<readonly RunResult[]> {
    this.#failed(error);
    for (;;) {
      await this.#options.clock.delay(this.#nextRetryMs());
      try {
        const results: RunResult[] = [];
        for (const { run } of pending) results.push(await storedPart(this.#options.store.events, run));
        return results;
      } catch (thrown) {
        this.#failed(ChatError.fromUnknown(thrown));
      }
    }
  }

  /** The store will never take these items together: each one comes again alone, and the faulty one is rejected. */
  #isolate(items: readonly WriteItem[], error: ChatError): void {
    this.#options.metrics.count("store_errors", { kind: "permanent" });
    if (items.length === 1) {
      this.#options.log.error({ err: error }, "the store refused one command for good; it was rejected");
      items[0]?.fail(new ChatError("internal", "the message could not be stored", { cause: error }));
      return;
    }
    this.#options.log.warn(
      { err: error, items: items.length },
      "the store refused a batch; storing one by one",
    );
    for (const item of items) item.alone = true;
    this.#queue = [...items, ...this.#queue];
  }

  async #backOff(batch: readonly WriteItem[], error: ChatError): Promise<void> {
    for (const item of batch) this.#options.states.forget(item.app, item.conversation);
    this.#queue = [...batch, ...this.#queue];
    this.#failed(error);
    await this.#options.clock.delay(this.#nextRetryMs());
  }

  #failed(error: ChatError): void {
    this.#options.metrics.count("store_errors", { kind: "transient" });
    this.#options.log.warn(
      { err: error },
      "the store does not answer; consumption is paused, nothing is lost",
    );
    this.#options.onStoreHealth(false);
  }

  #nextRetryMs(): number {
    const delayMs = this.#retryMs;
    this.#retryMs = Math.min(this.#retryMs * 2, lastRetryMs);
    return delayMs;
  }

  #recovered(): void {
    this.#retryMs = firstRetryMs;
    this.#options.log.info({}, "the store answers again");
    this.#options.onStoreHealth(true);
  }
}
