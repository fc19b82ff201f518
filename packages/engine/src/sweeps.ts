import type { Dispatcher } from "./dispatcher.ts";
import type { Exclusive } from "./exclusive.ts";
import type { Clock } from "./ports/clock.ts";
import type { Edge } from "./ports/edge.ts";
import type { Log } from "./ports/telemetry.ts";
import type { PresenceKeeper } from "./presence-keeper.ts";
import { presenceSweepMs } from "./presence-keeper.ts";
import type { Writer } from "./writer.ts";

/** Names of leases. */
const dispatchSweep = "sweep/dispatch";
const presenceSweep = "sweep/presence";
const dispatchSweepMs = 2_000;
const sessionSweepMs = 1_000;
const releaseSweepMs = 1_000;
/** Only events that have stayed undispatched for so long are looked at by the sweep. */
const staleAfterMs = 2_000;
/** The same where others write, too: a slow broker may not have taken their events yet. */
const sharedStaleAfterMs = 6_000;
/** Events older than this have no living owner: leases are renewed every 0.5 s and expire after 2 s. */
const leftBehindAfterMs = 1_200;
const takeoverRetryMs = 100;
/** Callers wait so long for a broker to take their committed events. */
const dispatchPatienceMs = 5_000;

/** The parts that sweeps work on. */
export interface SweepsOptions {
  readonly clock: Clock;
  readonly edge: Edge;
  readonly log: Log;
  readonly dispatcher: Dispatcher;
  readonly writer: Writer;
  readonly presence: PresenceKeeper;
  readonly exclusive: Exclusive;
  /** Other processes write to the same store. */
  readonly isShared: boolean;
  readonly isStoreHealthy: () => boolean;
}

/** Periodic work, and other work that nobody waits for: its failures are logged, and it is drained before the engine stops. */
export class Sweeps {
  readonly #options: SweepsOptions;
  readonly #stops: (() => void)[] = [];
  readonly #running = new Set<Promise<unknown>>();

  constructor(options: SweepsOptions) {
    this.#options = options;
  }

  /** Dispatches what an earlier process left in a store of one's own, then starts the periodic work. */
  async start(): Promise<void> {
    const { clock, edge, dispatcher, writer, presence, exclusive, isShared, isStoreHealthy } = this.#options;
    if (!isShared) await dispatcher.sweep(Number.MAX_SAFE_INTEGER);
    // During an outage the writer itself finds out which events were stored, and dispatches them.
    this.#every(dispatchSweepMs, "the dispatch sweep", async () => {
      const before = clock.now() - (isShared ? sharedStaleAfterMs : staleAfterMs);
      if (isStoreHealthy()) await exclusive.run(dispatchSweep, () => dispatcher.sweep(before));
    });
    this.#every(presenceSweepMs, "the presence sweep", () =>
      exclusive.run(presenceSweep, () => presence.sweep()),
    );
    if (isShared)
      this.#every(releaseSweepMs, "the release of callers", async () =>
        writer.releaseOverdue(clock.now() - dispatchPatienceMs),
      );
    this.#every(sessionSweepMs, "the session sweep", async () => {
      edge.disconnect({ expiredAt: clock.now() }, "expired");
    });
  }

  /** Dispatches the events of a dead process. Resolves when that is done, by this process or another. */
  async takeOver(): Promise<void> {
    const { clock, dispatcher, exclusive } = this.#options;
    const before = clock.now() - leftBehindAfterMs;
    while (!(await exclusive.run(dispatchSweep, () => dispatcher.sweep(before))))
      await clock.delay(takeoverRetryMs);
  }

  /** Lets work run that nobody waits for. */
  run(what: string, work: Promise<unknown>): void {
    const watched = work.catch((err: unknown) => this.#options.log.warn({ err }, `${what} failed`));
    this.#running.add(watched);
    void watched.then(() => this.#running.delete(watched));
  }

  /** Starts nothing new. */
  stop(): void {
    for (const stop of this.#stops.splice(0)) stop();
  }

  /** Resolves when nothing runs any more. */
  async drained(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  #every(intervalMs: number, what: string, work: () => Promise<unknown>): void {
    let isRunning = false;
    const once = async (): Promise<void> => {
      isRunning = true;
      try {
        await work();
      } finally {
        isRunning = false;
      }
    };
    this.#stops.push(
      this.#options.clock.every(intervalMs, () => (isRunning ? undefined : this.run(what, once()))),
    );
  }
}
