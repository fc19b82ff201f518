import type { Clock, Log, Metrics } from "@chat21/engine";
import type { WebhookStore } from "@chat21/events";
import { endpointLabel, type WebhookEndpoint, webhookSettingDefaults } from "@chat21/events";
import type { Proxies } from "@chat21/runtime";
import { type AddressPolicy, createAddressPolicy, loopbackRanges } from "./address-policy.ts";
import { createAttemptRunner } from "./attempt-runner.ts";
import { EndpointGate } from "./endpoint-gate.ts";
import type { Resolve } from "./guarded-connector.ts";
import { createHttpSender, requestLimits } from "./http-sender.ts";
import { createLeasePass } from "./lease-pass.ts";
import { createPassScheduler } from "./pass-scheduler.ts";
import { assertUsableEndpoint } from "./usable-endpoint.ts";
import { createSweep } from "./webhook-sweep.ts";

/** Limits of one worker. */
const workerLimits = {
  /** Places for requests to all endpoints together; beyond it each endpoint may still have one. */
  requests: 64,
  /** How long a row belongs to the worker that took it: the longest request, and time to write its outcome. */
  leaseMs: requestLimits.timeoutMs + 30_000,
  /** Time between two sweeps. */
  sweepMs: 60_000,
} as const;

/** Options of {@link createWebhookWorker}. */
export interface WebhookWorkerOptions {
  readonly store: WebhookStore;
  /** Rows of other endpoints stay where they are, and become dead letters after 72 h. */
  readonly endpoints: readonly WebhookEndpoint[];
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Address ranges beside the public Internet that requests may go to. @default none */
  readonly allowPrivate?: readonly string[];
  /** Requests may go to this machine itself: for development. @default false */
  readonly allowLoopback?: boolean;
  /** @default 24 h */
  readonly keepDeliveredMs?: number;
  /** @default 30 days */
  readonly keepDeadMs?: number;
  /** For the jitter, in [0, 1). @default `Math.random` */
  readonly random?: () => number;
  /** Looks host names up. @default the system's resolver */
  readonly resolve?: Resolve;
  /** Proxies for requests. @default none */
  readonly proxies?: Proxies;
}

/**
 * Sends the rows of a store. Several workers may run on one store, in one process or in many: a row belongs to one of
 * them at a time, and a worker that dies loses its rows to the others when their leases end.
 */
export interface WebhookWorker {
  /** Begins with the rows that are due. */
  start(): void;
  /** Says that there may be new rows: the worker looks at once. Without this call it finds them within 5 s. */
  wake(): void;
  /** Uses an endpoint again that answered 410. No effect on others. */
  enable(url: string): void;
  /**
   * Signs with these secrets from the next request on, a repeated one too. An endpoint that is not named keeps its own. Throws
   * `ChatError` `bad_request` for one without a secret; nothing is changed then.
   */
  useSecrets(endpoints: readonly WebhookEndpoint[]): void;
  /**
   * Takes no more rows, lets requests that are under way come to an end, ends the rest after `timeoutMs` (the next
   * worker tries them again), and closes all connections. Idempotent.
   */
  stop(timeoutMs: number): Promise<void>;
}

/** Makes a worker. Throws `ChatError` `bad_request` for an endpoint that can never work, with what to do about it. */
export function createWebhookWorker(options: WebhookWorkerOptions): WebhookWorker {
  const { store, clock, log, metrics, random = Math.random, resolve, proxies } = options;
  const policy = policyOf(options);
  for (const endpoint of options.endpoints) assertUsableEndpoint(endpoint, policy);
  const gates = new Map(options.endpoints.map((endpoint) => [endpoint.url, new EndpointGate(endpoint)]));
  const sender = createHttpSender({
    ...{ policy, clock },
    ...(resolve === undefined ? {} : { resolve }),
    ...(proxies === undefined ? {} : { proxies }),
  });
  const runner = createAttemptRunner({
    ...{ store, clock, log, metrics, random, sender },
    onRoom: () => scheduler.wake(),
  });
  const { requests, leaseMs, sweepMs } = workerLimits;
  const pass = createLeasePass({
    ...{ store, clock, log, requests, leaseMs },
    gates: [...gates.values()],
    begin: runner.begin,
  });
  const scheduler = createPassScheduler(clock, pass);
  const sweep = createSweep({
    ...{ ...webhookSettingDefaults, ...options, gates, leaseMs },
    onBounded: () => scheduler.wake(),
  });
  let stopSweeps = () => {};

  return {
    start() {
      log.info(
        { endpoints: options.endpoints.map(({ url }) => endpointLabel(url)) },
        "webhook worker started",
      );
      stopSweeps = clock.every(sweepMs, () => void sweep());
      void sweep();
      scheduler.wake();
    },
    wake: () => scheduler.wake(),
    enable(url) {
      gates.get(url)?.enable();
      scheduler.wake();
    },
    useSecrets(endpoints) {
      for (const endpoint of endpoints) assertUsableEndpoint(endpoint, policy);
      for (const { url, secrets } of endpoints) gates.get(url)?.signWith(secrets);
    },
    async stop(timeoutMs) {
      stopSweeps();
      await scheduler.stop();
      await runner.stop(timeoutMs);
      log.info({}, "webhook worker stopped");
    },
  };
}

function policyOf({ allowPrivate = [], allowLoopback = false }: WebhookWorkerOptions): AddressPolicy {
  return createAddressPolicy([...allowPrivate, ...(allowLoopback ? loopbackRanges : [])]);
}
