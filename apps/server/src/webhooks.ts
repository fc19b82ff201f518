import type { Clock, EventSink, Log, Metrics } from "@chat21/engine";
import type { WebhookStore } from "@chat21/events";
import {
  chooseEndpoint,
  createDeliveryLog,
  createWebhookSink,
  type DeliveryLog,
  generateWebhookSecret,
  type WebhookEndpoint,
  type WebhookSettings,
} from "@chat21/events";
import type { OperatorWebhooks } from "@chat21/http-api";
import { type Proxies, readWebhookSecrets } from "@chat21/runtime";
import {
  createWebhookWorker,
  sendTestEvent,
  type TestEventResult,
  type WebhookWorker,
} from "@chat21/webhooks";

/** Options of {@link createWebhooks}. */
export interface WebhooksOptions {
  readonly settings: WebhookSettings;
  /** The text of the secret of endpoints without one of their own, made at first use. */
  readonly ownSecret: () => string;
  /** That text again; throws when it is gone. */
  readonly ownSecretAgain: () => string;
  /** Requests may go to this machine itself. */
  readonly allowLoopback: boolean;
  readonly proxies: Proxies;
  readonly store: WebhookStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** Webhooks of one process: the sink for the engine, the worker that sends, and the operators' view. */
export interface Webhooks extends OperatorWebhooks {
  /** `null` when nothing is to be recorded. */
  readonly sink: EventSink | null;
  readonly worker: WebhookWorker | null;
  /** Signs with what the files of secrets hold now; throws, and changes nothing, when that cannot be used. `null`: there are no files. */
  readonly reloadSecrets: (() => void) | null;
  readonly log: DeliveryLog;
  /** Sends a test event now. Throws `not_found` when there is no such endpoint. @param url the first by default */
  test(app: string, url?: string): Promise<TestEventResult>;
}

/** Makes the parts of webhooks. Throws `ChatError` `bad_request` for an endpoint that can never work. */
export function createWebhooks(options: WebhooksOptions): Webhooks {
  const { settings, store, clock, log, metrics, allowLoopback, proxies } = options;
  const active = settings.enabled && settings.endpoints.length > 0;
  const hasOwn = settings.endpoints.some(({ secrets }) => secrets.length === 0);
  let endpoints = withOwnSecret(settings.endpoints, hasOwn ? options.ownSecret() : "");
  const { allowPrivate, keepDeliveredMs, keepDeadMs, events } = settings;
  const worker = active
    ? createWebhookWorker({
        ...{
          store,
          endpoints,
          clock,
          log,
          metrics,
          allowPrivate,
          allowLoopback,
          proxies,
          keepDeliveredMs,
          keepDeadMs,
        },
      })
    : null;
  return {
    sink: active
      ? createWebhookSink({ endpoints, events, store, clock, onEnqueued: () => worker?.wake() })
      : null,
    worker,
    reloadSecrets:
      worker === null || !(hasOwn || settings.secretsFile !== undefined)
        ? null
        : () => {
            const own = hasOwn ? options.ownSecretAgain() : "";
            const next = withOwnSecret(readWebhookSecrets(settings).endpoints, own);
            worker.useSecrets(next);
            endpoints = next;
          },
    log: createDeliveryLog({ store, clock, ...(worker === null ? {} : { worker }) }),
    describe: () => ({ enabled: active, endpoints: endpoints.map(({ url }) => url), events }),
    async test(app, url) {
      const endpoint = chooseEndpoint(endpoints, url);
      return sendTestEvent({ endpoint, clock, app, allowPrivate, allowLoopback, proxies });
    },
  };
}

/** Gives endpoints without secrets those of `own`: one, or during a rotation `new|old`. */
function withOwnSecret(endpoints: readonly WebhookEndpoint[], own: string): readonly WebhookEndpoint[] {
  const secrets = own.split("|").map((secret) => secret.trim());
  return endpoints.map((endpoint) => (endpoint.secrets.length > 0 ? endpoint : { ...endpoint, secrets }));
}

/** Makes a signing secret for webhooks. */
export const newWebhookSecret = generateWebhookSecret;
