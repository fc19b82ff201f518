import type { StoredWebhookDelivery, WebhookStore } from "@chat21/events";
import { type AttemptTools, attemptDelivery } from "./delivery-attempt.ts";
import type { EndpointGate } from "./endpoint-gate.ts";
import { createSettleQueue } from "./settle-queue.ts";

/** Time for writing outcomes after requests were ended, milliseconds. */
const lastWritesMs = 1_000;

/** Runs attempts, each from its request to the durable outcome. */
export interface AttemptRunner {
  /** Begins an attempt for a leased row and counts it in its gate until it is over. */
  begin(gate: EndpointGate, row: StoredWebhookDelivery, leaseUntil: number): void;
  /**
   * Lets attempts come to an end, ends their requests after `timeoutMs`, and closes all connections. An outcome that
   * cannot be written any more is left to the lease of its row.
   */
  stop(timeoutMs: number): Promise<void>;
}

/** Options of {@link createAttemptRunner}. */
export interface AttemptRunnerOptions extends AttemptTools {
  readonly store: Pick<WebhookStore, "settle">;
  /** Called after each attempt: there is room for another. */
  readonly onEnded: () => void;
}

/** Makes a runner. */
export function createAttemptRunner(options: AttemptRunnerOptions): AttemptRunner {
  const { sender, clock, onEnded } = options;
  const outcomes = createSettleQueue(options);
  const underWay = new Set<Promise<void>>();

  const attempt = async (
    gate: EndpointGate,
    row: StoredWebhookDelivery,
    leaseUntil: number,
  ): Promise<void> => {
    await outcomes.settle(await attemptDelivery(options, gate, row, leaseUntil));
    gate.end();
    onEnded();
  };

  return {
    begin(gate, row, leaseUntil) {
      gate.begin();
      const running = attempt(gate, row, leaseUntil).finally(() => underWay.delete(running));
      underWay.add(running);
    },
    async stop(timeoutMs) {
      let expire = () => {};
      const expired = new Promise<void>((resolve) => {
        expire = resolve;
      });
      const stopTimers = [
        clock.every(timeoutMs, () => sender.abort()),
        clock.every(timeoutMs + lastWritesMs, expire),
      ];
      await Promise.race([Promise.all(underWay), expired]);
      for (const stopTimer of stopTimers) stopTimer();
      await sender.close();
    },
  };
}
