import type { Clock, Log } from "@chat21/engine";
import type { UserStore } from "@chat21/people";
import { within } from "./drain.ts";
import type { Health } from "./health.ts";

/** How often the store is asked, and how long it may take to answer. */
const watchLimits = { intervalMs: 1_000, answerMs: 3_000 } as const;

/** Watches whether a store answers, for processes that may not use it for a while. */
export interface StoreWatch {
  health(): Health;
  /** Idempotent. */
  stop(): void;
}

/** Options of {@link watchStore}. */
export interface StoreWatchOptions {
  readonly store: { readonly users: Pick<UserStore, "get"> };
  readonly clock: Pick<Clock, "every">;
  readonly log: Pick<Log, "info" | "warn">;
}

/** Asks a store for something small every second; the store must answer at the start. Each change is logged once. */
export function watchStore({ store, clock, log }: StoreWatchOptions): StoreWatch {
  let healthy = true;
  let asking = false;

  const ask = async (): Promise<void> => {
    if (asking) return;
    asking = true;
    try {
      await within(store.users.get("chat21", "nobody"), watchLimits.answerMs);
      if (!healthy) log.info({}, "the store answers again");
      healthy = true;
    } catch (err) {
      if (healthy) log.warn({ err }, "the store does not answer: not ready until it does");
      healthy = false;
    } finally {
      asking = false;
    }
  };

  const stop = clock.every(watchLimits.intervalMs, () => void ask());
  return {
    health: () => (healthy ? { ready: true, reason: "ok" } : { ready: false, reason: "store_unavailable" }),
    stop,
  };
}
