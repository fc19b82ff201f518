import type { Dispatcher } from "./dispatcher.ts";
import type { Exclusive } from "./exclusive.ts";
import type { LiveSessions } from "./live-sessions.ts";
import type { Clock } from "./ports/clock.ts";
import type { Edge } from "./ports/edge.ts";
import type { CommittedOutside } from "./ports/event-log.ts";
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
/** The sweep only looks at events that have stayed undispatched for so long. */
const staleAfterMs = 2_000;
/** The same for a store with several processes: a slow broker may not have taken their events yet. */
const sharedStaleAfterMs = 6_000;
/** Events older than this have no living owner: leases are renewed every 0.5 s and expire after 2 s. */
const leftBehindAfterMs = 1_200;
/** An event that lies further ahead was committed before the clock was set back. */
const aheadMs = 60_000;
const takeoverRetryMs = 100;
/** Time that callers wait for a broker to take their committed events. */
const dispatchPatienceMs = 5_000;

/** The parts that sweeps work on. */
export interface SweepsOptions {
  readonly clock: Clock;
  readonly edge: Edge;
  readonly log: Log;
  readonly dispatcher: Dispatcher;
  readonly writer: Writer;
  readonly presence: PresenceKeeper;
  readonly sessions: LiveSessions;
  readonly exclusive: Exclusive;
  /** Other processes write to the same store. */
  readonly isShared: boolean;
  readonly isStoreHealthy: () => boolean;
}

/** Periodic work, and other work in the background: failures are logged, and the engine drains it before it stops. */
export class Sweeps {
  readonly #options: SweepsOptions;
  readonly #stops: (() => void)[] = [];
  readonly #running = new Set<Promise<unknown>>();

  constructor(options: SweepsOptions) {
    this.#options = options;
  }

  /** Dispatches the events that an earlier process left in an unshared store, then starts the periodic work. */
  async start(): Promise<void> {
    const { clock, edge, dispatcher, writer, presence, sessions, exclusive, isShared, isStoreHealthy } =
      this.#options;
    if (!isShared) await dispatcher.sweep(Number.MAX_SAFE_INTEGER);
    // During an outage the writer itself finds out which events were stored, and dispatches them.
    this.#every(dispatchSweepMs, "the dispatch sweep", async () => {
      const stale = this.#olderThan(isShared ? sharedStaleAfterMs : staleAfterMs);
      if (isStoreHealthy()) await exclusive.run(dispatchSweep, () => dispatcher.sweep(stale));
    });
    this.#every(presenceSweepMs, "the presence sweep", () =>
      exclusive.run(presenceSweep, () => presence.sweep()),
    );
    if (isShared)
      this.#every(releaseSweepMs, "the release of callers", async () =>
        writer.releaseOverdue(clock.elapsed() - dispatchPatienceMs),
      );
    this.#every(sessionSweepMs, "the session sweep", async () => {
      edge.disconnect({ expiredAt: clock.now() }, "expired");
      // A clock that was set back gives nobody a longer session than its token had left.
      for (const { app, user, clientId, tokenId } of sessions.overdue(clock.elapsed()))
        edge.disconnect({ app, user, clientId, tokenId }, "expired");
    });
  }

  /** Dispatches the events of a dead process. Resolves when this process or another has done it. */
  async takeOver(): Promise<void> {
    const { clock, dispatcher, exclusive } = this.#options;
    const left = this.#olderThan(leftBehindAfterMs);
    while (!(await exclusive.run(dispatchSweep, () => dispatcher.sweep(left))))
      await clock.delay(takeoverRetryMs);
  }

  /** Runs work in the background. */
  run(what: string, work: Promise<unknown>): void {
    const watched = work.catch((err: unknown) => this.#options.log.warn({ err }, `${what} failed`));
    this.#running.add(watched);
    void watched.then(() => this.#running.delete(watched));
  }

  /** Starts nothing new. */
  stop(): void {
    for (const stop of this.#stops.splice(0)) stop();
  }

  /** Resolves when no work is running. */
  async drained(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  #olderThan(ageMs: number): CommittedOutside {
    const now = this.#options.clock.now();
    return { before: now - ageMs, after: now + aheadMs };
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
