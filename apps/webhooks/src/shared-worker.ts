import type { Log, Metrics } from "@chat21/engine";
import type { WebhookSettings, WebhookStore } from "@chat21/events";
import { ChatError } from "@chat21/protocol";
import { OperatorError, type Proxies, type Reloads, readWebhookSecrets, systemClock } from "@chat21/runtime";
import { sends } from "./config.ts";
import { createWebhookWorker } from "./webhook-worker.ts";

/** How often the worker looks at the store: the store tells of rows that other processes add, but may miss some. */
const lookEveryMs = 500;

/** Options of {@link startSharedWorker}. */
export interface SharedWorkerOptions {
  readonly settings: WebhookSettings;
  readonly proxies: Proxies;
  readonly store: WebhookStore;
  readonly metrics: Metrics;
  readonly log: Log;
  /** Gets the file of the secrets, where there is one. */
  readonly reloads: Pick<Reloads, "add">;
}

/** A worker that sends. */
export interface SharedWorker {
  /** Looks for no more rows. */
  stopLooking(): void;
  /** Lets requests come to an end, at most `timeoutMs`. */
  stop(timeoutMs: number): Promise<void>;
}

/**
 * Starts a worker on a store that several processes share: a row belongs to one of them at a time. `undefined`: the
 * settings say that nothing is sent. Throws `OperatorError` for an endpoint that can never work.
 */
export function startSharedWorker({
  settings,
  proxies,
  store,
  metrics,
  log,
  reloads,
}: SharedWorkerOptions): SharedWorker | undefined {
  if (!sends(settings)) {
    log.warn(
      {},
      settings.enabled ? "WEBHOOK_ENDPOINTS: none, nothing is sent" : "webhooks are off: nothing is sent",
    );
    return undefined;
  }
  const { endpoints, allowPrivate, keepDeliveredMs, keepDeadMs } = settings;
  try {
    const worker = createWebhookWorker({
      ...{ store, clock: systemClock, log, metrics },
      ...{ endpoints, allowPrivate, keepDeliveredMs, keepDeadMs, proxies },
    });
    if (settings.secretsFile !== undefined)
      reloads.add("the secrets of webhooks", () => worker.useSecrets(readWebhookSecrets(settings).endpoints));
    worker.start();
    const stops = [systemClock.every(lookEveryMs, worker.wake), store.onEnqueued?.(worker.wake)];
    return {
      stop: (timeoutMs) => worker.stop(timeoutMs),
      stopLooking() {
        for (const stop of stops) stop?.();
      },
    };
  } catch (cause) {
    throw new OperatorError(`WEBHOOK_ENDPOINTS: ${ChatError.fromUnknown(cause).message}`, { cause });
  }
}
