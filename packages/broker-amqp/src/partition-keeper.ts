import type { Lease, LeaseStore, Log, Metrics } from "@chat21/engine";
import { decideShare } from "./partition-share.ts";
import type { Timers } from "./timers.ts";

/** Times of a {@link PartitionKeeper}. */
export const leaseTimes = {
  /** How long a lease lasts when it is not renewed. */
  ttlMs: 2_000,
  /** How often leases are renewed, and shares decided. */
  tickMs: 500,
  /** Shortest time between two ticks, however soon another holder's lease runs out. */
  shortestTickMs: 20,
} as const;

/** The consumer of one partition. */
export interface PartitionHandle {
  /** Finishes the messages that are begun; resolves when none of them is left. Never rejects. */
  stop(): Promise<void>;
  /** Ends at once; messages in flight are no longer current. */
  abandon(): void;
}

/** Options of {@link PartitionKeeper}. */
export interface PartitionKeeperOptions<T extends PartitionHandle> {
  /** Names this process among the observers. */
  readonly holder: string;
  readonly partitions: number;
  readonly leases: LeaseStore;
  readonly timers: Timers;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Called before this process consumes partitions that another one may have had. */
  readonly takeOver: () => Promise<void>;
  /** Begins to consume. `isHeld` says whether the partition is still ours; `onLost` is called when the consumer ends. */
  readonly open: (partition: number, isHeld: () => boolean, onLost: () => void) => Promise<T>;
}

/** A partition whose lease we have. */
interface Holding<T extends PartitionHandle> {
  readonly partition: number;
  /** By our clock, counted from a moment before we asked. */
  heldUntil: number;
  /** `waiting`: to be opened with the next tick. */
  phase: "waiting" | "opening" | "consuming" | "leaving";
  consumer: T | undefined;
}

/** How the names of the leases begin by which observers count each other. */
const observerPrefix = "observer/";
const partitionPrefix = "partition/";
const nameOf = (partition: number) => `${partitionPrefix}${partition}`;

/**
 * Keeps this process' share of the partitions: a lease for each, renewed long before it runs out, and a consumer for
 * each lease. A partition is given up only after all its messages are finished and acknowledged. When its lease runs
 * out by our own clock, its consumer ends at once.
 */
export class PartitionKeeper<T extends PartitionHandle> {
  readonly #options: PartitionKeeperOptions<T>;
  readonly #holdings = new Map<number, Holding<T>>();
  readonly #leaving = new Set<Promise<void>>();
  #isWanted = false;
  #isClaiming = false;
  #suspending = Promise.resolve();
  #isTicking: Promise<void> | undefined;
  #cancelTick: (() => void) | undefined;
  #cancelExpiry: (() => void) | undefined;

  constructor(options: PartitionKeeperOptions<T>) {
    this.#options = options;
  }

  /** Partitions that are consumed here, ascending. */
  get consumed(): readonly number[] {
    const consuming = [...this.#holdings.values()].filter(({ phase }) => phase === "consuming");
    return consuming.map(({ partition }) => partition).sort((a, b) => a - b);
  }

  /** Begins to claim partitions; after {@link suspend}, goes on once the suspended ones are given back. */
  resume(): void {
    this.#isWanted = true;
    void this.#suspending.then(() => {
      if (!this.#isWanted || this.#isClaiming) return;
      this.#isClaiming = true;
      this.#tickAfter(0);
    });
  }

  /**
   * The broker is out of reach: no partition is claimed any more, and the held ones are given back as they are.
   * Resolves when the store knows, or does not answer (the leases run out then).
   */
  suspend(): Promise<void> {
    this.#stopClaiming();
    const held = [...this.#holdings.values()];
    for (const holding of held) this.#drop(holding);
    this.#suspending = this.#suspending.then(async () => {
      await this.#isTicking;
      await this.#release([this.#ownName, ...held.map(({ partition }) => nameOf(partition))]);
    });
    return this.#suspending;
  }

  /** Hands everything over in order: finished, acknowledged, given back. Resolves when it is done. */
  async close(): Promise<void> {
    this.#stopClaiming();
    await this.#suspending;
    await this.#isTicking;
    // Others count their share without us from now on.
    await this.#release([this.#ownName]);
    const stopRenewing = this.#renewWhileLeaving();
    for (const holding of this.#holdings.values()) this.#leave(holding);
    while (this.#leaving.size > 0) await Promise.all(this.#leaving);
    stopRenewing();
    this.#cancelExpiry?.();
  }

  /** Drops the remaining partitions at once. */
  abandon(): void {
    this.#stopClaiming();
    for (const holding of this.#holdings.values()) this.#drop(holding);
    this.#cancelExpiry?.();
  }

  get #ownName(): string {
    return `${observerPrefix}${this.#options.holder}`;
  }

  #stopClaiming(): void {
    this.#isWanted = false;
    this.#isClaiming = false;
    this.#cancelTick?.();
  }

  #tickAfter(delayMs: number): void {
    this.#cancelTick?.();
    if (!this.#isClaiming) return;
    this.#cancelTick = this.#options.timers.after(delayMs, () => {
      this.#isTicking ??= this.#tick().finally(() => {
        this.#isTicking = undefined;
      });
    });
  }

  async #tick(): Promise<void> {
    let nextMs: number = leaseTimes.tickMs;
    try {
      await this.#renew([this.#ownName]);
      const { leases } = this.#options;
      const [observers, partitions] = await Promise.all([
        leases.list(observerPrefix),
        leases.list(partitionPrefix),
      ]);
      if (this.#isClaiming) {
        await this.#settleShare(observers, partitions);
        nextMs = this.#nextTickMs(partitions);
      }
    } catch (error) {
      this.#options.log.warn({ error: (error as Error).message }, "the leases cannot be renewed");
    }
    this.#tickAfter(nextMs);
  }

  /** Time to the next tick: shorter than usual when another holder's lease is about to run out. */
  #nextTickMs(leases: readonly Lease[]): number {
    const foreign = leases.filter(({ holder }) => holder !== this.#options.holder);
    const soonest = Math.min(leaseTimes.tickMs, ...foreign.map(({ remainingMs }) => remainingMs + 1));
    return Math.max(leaseTimes.shortestTickMs, soonest);
  }

  /** Extends the held leases and claims `more`, in one call. */
  async #renew(more: readonly string[]): Promise<void> {
    this.#dropExpired();
    const held = [...this.#holdings.values()];
    const names = [...more, ...held.map(({ partition }) => nameOf(partition))];
    if (names.length === 0) return;
    const { timers, leases, holder } = this.#options;
    const before = timers.now();
    const answers = await leases.acquire(holder, names, leaseTimes.ttlMs);
    const after = timers.now();
    held.forEach((holding, index) => {
      if (this.#holdings.get(holding.partition) !== holding) return;
      // An answer that comes after the lease ran out is no proof: another holder may have had it in between.
      if (answers[more.length + index] === true && after < holding.heldUntil) {
        holding.heldUntil = before + leaseTimes.ttlMs;
      } else this.#lose(holding);
    });
    this.#watchExpiry();
  }

  async #settleShare(observers: readonly Lease[], leases: readonly Lease[]): Promise<void> {
    const { holder, partitions } = this.#options;
    const isLeaving = ({ phase }: Holding<T>) => phase === "leaving";
    const holdings = [...this.#holdings.values()];
    const foreign = leases.filter((lease) => lease.holder !== holder).map(({ name }) => partitionOf(name));
    const { release, take } = decideShare({
      partitions,
      self: holder,
      observers: observers.map(({ name }) => name.slice(observerPrefix.length)),
      own: holdings.filter((holding) => !isLeaving(holding)).map(({ partition }) => partition),
      foreign: new Set([...foreign, ...holdings.filter(isLeaving).map(({ partition }) => partition)]),
    });
    for (const partition of release) this.#leave(this.#holdings.get(partition));
    if (take.length > 0) await this.#claim(take);
    void this.#openWaiting();
  }

  async #claim(partitions: readonly number[]): Promise<void> {
    const { leases, timers, holder, metrics, log } = this.#options;
    const before = timers.now();
    const answers = await leases.acquire(holder, partitions.map(nameOf), leaseTimes.ttlMs);
    const taken = partitions.filter((_, index) => answers[index] === true);
    if (!this.#isClaiming) return this.#release(taken.map(nameOf));
    for (const partition of taken) {
      const heldUntil = before + leaseTimes.ttlMs;
      this.#holdings.set(partition, { partition, heldUntil, phase: "waiting", consumer: undefined });
    }
    if (taken.length === 0) return;
    metrics.count("partition_changes", { change: "taken" }, taken.length);
    log.info({ partitions: taken }, "took partitions");
    this.#watchExpiry();
  }

  /**
   * Opens partitions that are held and not yet consumed. It runs beside the ticks, so that leases are renewed
   * meanwhile.
   */
  async #openWaiting(): Promise<void> {
    const waiting = [...this.#holdings.values()].filter(({ phase }) => phase === "waiting");
    if (waiting.length === 0) return;
    for (const holding of waiting) holding.phase = "opening";
    try {
      await this.#options.takeOver();
      await Promise.all(waiting.map((holding) => this.#open(holding)));
    } catch (error) {
      this.#options.log.warn({ error: (error as Error).message }, "partitions cannot be consumed yet");
    }
    // With the next tick again.
    for (const holding of waiting) if (holding.phase === "opening") holding.phase = "waiting";
  }

  async #open(holding: Holding<T>): Promise<void> {
    const { open, timers, log } = this.#options;
    const isKept = () => this.#holdings.get(holding.partition) === holding && holding.phase === "opening";
    if (!isKept()) return;
    const isHeld = () => timers.now() < holding.heldUntil;
    const onLost = () => {
      if (holding.phase !== "consuming") return;
      holding.consumer = undefined;
      holding.phase = "waiting";
    };
    const consumer = await open(holding.partition, isHeld, onLost);
    if (!isKept()) return consumer.abandon();
    holding.consumer = consumer;
    holding.phase = "consuming";
    log.debug({ partition: holding.partition }, "consuming a partition");
  }

  /** Finishes, acknowledges, gives back. */
  #leave(holding: Holding<T> | undefined): void {
    if (holding === undefined || holding.phase === "leaving") return;
    holding.phase = "leaving";
    const leaving = this.#stopAndRelease(holding).finally(() => this.#leaving.delete(leaving));
    this.#leaving.add(leaving);
  }

  async #stopAndRelease(holding: Holding<T>): Promise<void> {
    const { log, metrics } = this.#options;
    const { partition } = holding;
    await holding.consumer?.stop();
    if (this.#holdings.get(partition) !== holding) return;
    this.#holdings.delete(partition);
    await this.#release([nameOf(partition)]);
    metrics.count("partition_changes", { change: "released" });
    log.info({ partition }, "handed a partition over");
  }

  #renewWhileLeaving(): () => void {
    let cancel = () => {};
    let isDone = false;
    const again = () => {
      if (isDone) return;
      cancel = this.#options.timers.after(leaseTimes.tickMs, () => void this.#renew([]).then(again, again));
    };
    again();
    return () => {
      isDone = true;
      cancel();
    };
  }

  #watchExpiry(): void {
    this.#cancelExpiry?.();
    const { timers } = this.#options;
    const soonest = Math.min(...[...this.#holdings.values()].map(({ heldUntil }) => heldUntil));
    if (soonest === Number.POSITIVE_INFINITY) return;
    this.#cancelExpiry = timers.after(Math.max(0, soonest - timers.now()), () => {
      this.#dropExpired();
      this.#watchExpiry();
    });
  }

  #dropExpired(): void {
    const now = this.#options.timers.now();
    for (const holding of this.#holdings.values()) if (now >= holding.heldUntil) this.#lose(holding);
  }

  #lose(holding: Holding<T>): void {
    const { partition } = holding;
    this.#options.log.warn({ partition }, "a lease ran out: the partition is no longer ours");
    this.#options.metrics.count("partition_changes", { change: "lost" });
    this.#drop(holding);
  }

  #drop(holding: Holding<T>): void {
    holding.heldUntil = 0;
    this.#holdings.delete(holding.partition);
    holding.consumer?.abandon();
  }

  async #release(names: readonly string[]): Promise<void> {
    if (names.length === 0) return;
    const { leases, holder, log } = this.#options;
    await leases.release(holder, names).catch((error: Error) => {
      log.warn({ error: error.message }, "leases cannot be given back, they will run out");
    });
  }
}

function partitionOf(name: string): number {
  return Number(name.slice(partitionPrefix.length));
}
