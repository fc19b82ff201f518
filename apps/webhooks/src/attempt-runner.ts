import type { StoredWebhookDelivery, WebhookStore } from "@chat21/events";
import { type AttemptTools, attemptDelivery } from "./delivery-attempt.ts";
import { type EndpointGate, gateLimits } from "./endpoint-gate.ts";
import { createSettleQueue } from "./settle-queue.ts";

/** Time for writing outcomes after requests were ended, milliseconds. */
const lastWritesMs = 1_000;

/** Runs attempts, each from its request to the durable outcome. */
export interface AttemptRunner {
  /** Begins an attempt for a leased row. It has a place in its gate until it is over, or hangs. */
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
  /** Called after each attempt, and when one hangs: there is room for another. */
  readonly onRoom: () => void;
}

/** Makes a runner. */
export function createAttemptRunner(options: AttemptRunnerOptions): AttemptRunner {
  const { sender, clock, onRoom } = options;
  const outcomes = createSettleQueue(options);
  const underWay = new Set<Promise<void>>();

  /** Takes a place in the gate; returns what gives it back, and has an effect once. */
  const takePlace = (gate: EndpointGate): (() => void) => {
    let leave = (): void => {
      leave = () => {};
      stopTimer();
      gate.end();
      onRoom();
    };
    gate.begin();
    const stopTimer = clock.every(gateLimits.hangsAfterMs, () => leave());
    return () => leave();
  };

  const attempt = async (
    gate: EndpointGate,
    row: StoredWebhookDelivery,
    leaseUntil: number,
  ): Promise<void> => {
    const leave = takePlace(gate);
    await outcomes.settle(await attemptDelivery(options, gate, row, leaseUntil));
    leave();
  };

  return {
    begin(gate, row, leaseUntil) {
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
