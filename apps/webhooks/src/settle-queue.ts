import type { Clock, Log } from "@chat21/engine";
import type { WebhookOutcome, WebhookStore } from "@chat21/events";
import { ChatError } from "@chat21/protocol";

const retryMs = 1_000;

/** Writes outcomes. Outcomes that come while a write is under way share the next one. */
export interface SettleQueue {
  /**
   * Resolves when the outcome is durable, or when its lease is over: another worker makes the attempt again then.
   * Never rejects; a store that fails is asked again every second.
   */
  settle(outcome: WebhookOutcome): Promise<void>;
}

interface Waiting {
  readonly outcome: WebhookOutcome;
  readonly resolve: () => void;
}

/** Makes a queue over `store`. */
export function createSettleQueue(options: {
  readonly store: Pick<WebhookStore, "settle">;
  readonly clock: Clock;
  readonly log: Log;
}): SettleQueue {
  const { store, clock, log } = options;
  let waiting: Waiting[] = [];
  let writing = false;

  const writeOnce = async (): Promise<void> => {
    const batch = waiting;
    waiting = [];
    try {
      await store.settle(batch.map(({ outcome }) => outcome));
      for (const { resolve } of batch) resolve();
    } catch (thrown) {
      log.warn(
        { code: ChatError.fromUnknown(thrown).code, outcomes: batch.length },
        "webhook outcomes not written",
      );
      await clock.delay(retryMs);
      const now = clock.now();
      for (const { outcome, resolve } of batch) if (outcome.leaseUntil <= now) resolve();
      waiting = [...batch.filter(({ outcome }) => outcome.leaseUntil > now), ...waiting];
    }
  };

  const writeWaiting = async (): Promise<void> => {
    writing = true;
    while (waiting.length > 0) await writeOnce();
    writing = false;
  };

  return {
    settle: (outcome) =>
      new Promise((resolve) => {
        waiting.push({ outcome, resolve });
        if (!writing) void writeWaiting();
      }),
  };
}
