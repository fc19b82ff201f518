import { ChatError } from "@chat21/protocol";
import type { Backoff } from "../connection/backoff.ts";
import type { Clock } from "../connection/clock.ts";
import { delay } from "../connection/clock.ts";
import type { Gap, LogOrder } from "./log-order.ts";

/** Settings of a {@link GapFiller}. */
export interface GapFillerOptions {
  readonly clock: Clock;
  readonly backoff: Backoff;
  /** Asks the server and takes the answer into the log's order. */
  ask(conversWith: string, order: LogOrder, gap: Gap, signal: AbortSignal): Promise<void>;
  /** Called when the server answered several times, and the gap is still there. */
  giveUp(conversWith: string, order: LogOrder, gap: Gap): void;
}

const unexplainedTries = 3;

/** Asks for missing numbers while online: one request per conversation at a time, and again after failures. */
export class GapFiller {
  readonly #options: GapFillerOptions;
  #online: { readonly controller: AbortController; readonly filling: Set<string> } | undefined;

  constructor(options: GapFillerOptions) {
    this.#options = options;
  }

  /** Aborts when {@link stop} is called; `undefined` while stopped. */
  get signal(): AbortSignal | undefined {
    return this.#online?.controller.signal;
  }

  start(): void {
    this.#online ??= { controller: new AbortController(), filling: new Set() };
  }

  stop(): void {
    this.#online?.controller.abort();
    this.#online = undefined;
  }

  /**
   * Fills a gap. `mayComeBy`: the missing numbers may only be late, since two servers deliver at the same moment; if
   * all clients asked at once, this would be a storm. No effect while stopped: the next comparison finds what is
   * missing then.
   */
  async fill(conversWith: string, order: LogOrder, mayComeBy: boolean): Promise<void> {
    const online = this.#online;
    if (online === undefined || online.filling.has(conversWith)) return;
    online.filling.add(conversWith);
    const { signal } = online.controller;
    const { backoff, clock } = this.#options;
    try {
      if (mayComeBy) await delay(clock, backoff(1), signal);
      await this.#fillAll(conversWith, order, signal);
    } finally {
      online.filling.delete(conversWith);
    }
  }

  async #fillAll(conversWith: string, order: LogOrder, signal: AbortSignal): Promise<void> {
    const { ask, giveUp, backoff, clock } = this.#options;
    let attempt = 0;
    let unexplained = 0;
    for (let gap = order.gap(); gap !== null && !signal.aborted; gap = order.gap()) {
      const failure = await ask(conversWith, order, gap, signal).then(() => null, ChatError.fromUnknown);
      if (signal.aborted) return;
      if (moved(gap, order.gap())) {
        attempt = 0;
        unexplained = 0;
        continue;
      }
      if (failure === null || !failure.retryable) unexplained += 1;
      if (unexplained >= unexplainedTries) giveUp(conversWith, order, gap);
      else await delay(clock, Math.max(backoff(++attempt), failure?.retryAfterMs ?? 0), signal);
    }
  }
}

function moved(before: Gap, now: Gap | null): boolean {
  return now === null || now.after !== before.after || now.before !== before.before;
}
