import type { Clock, Log, Metrics } from "@chat21/engine";
import type { WebhookStore } from "@chat21/events";
import { endpointLabel } from "@chat21/events";
import { ChatError } from "@chat21/protocol";
import type { EndpointGate } from "./endpoint-gate.ts";
import { boundRows } from "./lease-pass.ts";
import { retryLimits } from "./retry-policy.ts";

/** How long an endpoint fails until it counts as silent, milliseconds. */
const silentAfterMs = 60_000;

/** Rows that one call of the store removes: few, so that other writers do not wait long. */
const pruneRows = 1_000;

/** Options of {@link createSweep}. */
export interface SweepOptions {
  readonly store: WebhookStore;
  readonly gates: ReadonlyMap<string, EndpointGate>;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly keepDeliveredMs: number;
  readonly keepDeadMs: number;
  /** The longest lease. */
  readonly leaseMs: number;
  /** Called when rows from the future became due. */
  readonly onBounded: () => void;
}

/**
 * Makes the sweep. It brings rows back from the future (the clock was set back), turns rows into dead letters that waited too long for an endpoint that is failing, gone or not
 * configured any more (rows of a working endpoint get their own attempts), removes old rows of the log, and counts
 * endpoints that are silent. Never rejects; safe to run in several processes.
 */
export function createSweep(options: SweepOptions): () => Promise<void> {
  const { store, clock, log, metrics, keepDeliveredMs, keepDeadMs } = options;
  const unknownEndpoints = new Set<string>();

  const giveUp = async (endpoint: string, graceMs: number, error: string): Promise<void> => {
    const now = clock.now();
    const rows = await store.giveUp(
      { endpoint, queuedBefore: now - retryLimits.giveUpAfterMs - graceMs },
      now,
      error,
    );
    if (rows > 0)
      log.warn({ endpoint: endpointLabel(endpoint), rows, error }, "webhooks became dead letters");
  };

  const noteUnknown = (endpoint: string): void => {
    if (unknownEndpoints.has(endpoint)) return;
    unknownEndpoints.add(endpoint);
    log.warn({ endpoint: endpointLabel(endpoint) }, "webhooks wait for an endpoint that is not configured");
  };

  const giveUpHopeless = async (): Promise<void> => {
    const { graceMs } = retryLimits;
    for (const { endpoint } of await store.due()) {
      if ((await boundRows(store, endpoint, clock, options.leaseMs)) > 0) options.onBounded();
      const gate = options.gates.get(endpoint);
      if (gate === undefined) {
        noteUnknown(endpoint);
        await giveUp(endpoint, 0, "the endpoint is not configured");
      } else if (gate.goneId !== null) {
        await giveUp(endpoint, 0, "the endpoint answered 410");
      } else if (gate.failingSince !== null && clock.elapsed() - gate.failingSince >= graceMs) {
        await giveUp(endpoint, graceMs, "the endpoint did not work for too long");
      }
    }
  };

  const prune = async (state: "delivered" | "dead", settledBefore: number): Promise<void> => {
    while ((await store.prune(state, settledBefore, pruneRows)) >= pruneRows);
  };

  const countSilence = (): void => {
    for (const [endpoint, { failing, failingSince, goneId }] of options.gates) {
      const fails = failing && failingSince !== null && clock.elapsed() - failingSince >= silentAfterMs;
      metrics.count(
        "webhook_silence",
        { endpoint: endpointLabel(endpoint) },
        fails || goneId !== null ? 1 : 0,
      );
    }
  };

  return async () => {
    countSilence();
    try {
      await giveUpHopeless();
      await prune("delivered", clock.now() - keepDeliveredMs);
      await prune("dead", clock.now() - keepDeadMs);
    } catch (thrown) {
      log.warn({ code: ChatError.fromUnknown(thrown).code }, "webhook sweep failed; it is repeated");
    }
  };
}
