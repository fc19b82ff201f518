import { ChatError } from "@chat21/protocol";
import type { Arrival, PendingRun, Share, WriteItem, WriteResult } from "./pending-run.ts";
import type { RunResult } from "./ports/event-log.ts";
import type { Metrics } from "./ports/telemetry.ts";
import type { StateCache } from "./state-cache.ts";

/** Settings of {@link Outcomes}. */
export interface OutcomesOptions {
  readonly states: StateCache;
  readonly metrics: Metrics;
  /** Other processes write to the same store, so this process refuses nothing on its own memory alone. */
  readonly isShared: boolean;
  /**
   * Called with committed events, in commit order, and with the broker's arrivals of their messages. Resolves when the
   * acknowledgements may go out.
   */
  readonly dispatch: (
    committed: readonly WriteResult[],
    arrivals: readonly Arrival[],
  ) => Promise<void> | undefined;
}

interface Committed {
  readonly share: Share;
  readonly result: WriteResult;
}

/** Settles the callers' commands: after the commit, and after the dispatch. */
export class Outcomes {
  readonly #options: OutcomesOptions;
  /** Answers about committed events that are not dispatched yet, by the time (`Clock.elapsed`) of the commit. */
  readonly #withheld = new Map<() => void, number>();

  constructor(options: OutcomesOptions) {
    this.#options = options;
  }

  /** See `Writer.releaseOverdue`. */
  releaseOverdue(committedBefore: number): void {
    for (const [release, committedAt] of this.#withheld) {
      if (committedAt >= committedBefore) return;
      release();
    }
  }

  /** Settles committed commands when they are dispatched; answers the items to decide again, in order. */
  settle(
    pending: readonly PendingRun[],
    results: readonly RunResult[],
    committedAt: number,
  ): readonly WriteItem[] {
    const committed: Committed[] = [];
    const again: WriteItem[] = [];
    pending.forEach((entry, i) => {
      const result = results[i];
      if (result === undefined) failAll(entry.shares, new ChatError("internal", "the store left a run out"));
      else this.#sort(entry, result, committed, again);
    });
    this.#options.metrics.count("messages_committed", undefined, committed.length);
    this.#settleCommitted(committed, committedAt);
    return again;
  }

  #settleCommitted(committed: readonly Committed[], committedAt: number): void {
    const dispatched = this.#dispatch(
      committed.map(({ result }) => result),
      committed.flatMap(({ share }) => share.item.arrival ?? []),
    );
    const settleAll = () => {
      for (const { share, result } of committed) share.item.settle(result);
    };
    if (dispatched === undefined) {
      settleAll();
      return;
    }
    const release = () => {
      this.#withheld.delete(release);
      for (const { share, result } of committed)
        if (share.item.arrival === undefined) share.item.settle(result);
    };
    if (this.#options.isShared) this.#withheld.set(release, committedAt);
    // The next batch commits while the events of this one are handed over; acknowledgements wait.
    dispatched
      .then(settleAll, (thrown: unknown) => {
        const shares = committed.map(({ share }) => share);
        failAll(shares, ChatError.fromUnknown(thrown));
      })
      .finally(() => this.#withheld.delete(release));
  }

  /** Committed items are never decided again: a later failure only withholds the acknowledgement. */
  #dispatch(results: readonly WriteResult[], arrivals: readonly Arrival[]): Promise<void> | undefined {
    try {
      return this.#options.dispatch(results, arrivals);
    } catch (thrown) {
      return Promise.reject(thrown);
    }
  }

  #sort(
    { state, shares, run }: PendingRun,
    result: RunResult,
    committed: Committed[],
    again: WriteItem[],
  ): void {
    if (result.status !== "committed") {
      this.#options.metrics.count("conflicts", { kind: result.status });
      this.#options.states.forget(run.app, run.conversation);
    }
    let index = 0;
    for (const share of shares) {
      const end = index + share.events.length;
      if (end <= result.committed)
        committed.push({ share, result: { state, events: share.events, repeated: false } });
      else if (result.status === "repeat" && result.index >= index && result.index < end) {
        share.item.settle({ state, events: [result.existing], repeated: true });
      } else again.push(share.item);
      index = end;
    }
  }
}

function failAll(shares: readonly Share[], error: ChatError): void {
  for (const { item } of shares) item.fail(error);
}
