import type { Clock } from "@chat21/engine";
import { createWebhookTest, type WebhookEndpoint } from "@chat21/events";
import type { Proxies } from "@chat21/runtime";
import { createAddressPolicy, loopbackRanges } from "./address-policy.ts";
import { createHttpSender } from "./http-sender.ts";
import { type AttemptResult, judgeAttempt } from "./retry-policy.ts";
import { createSigner } from "./signature-headers.ts";
import { assertUsableEndpoint } from "./usable-endpoint.ts";

/** Options of {@link sendTestEvent}. */
export interface TestEventOptions {
  readonly endpoint: WebhookEndpoint;
  readonly clock: Clock;
  /** The `app_id` of the event. */
  readonly app: string;
  /** As for the worker. @default none */
  readonly allowPrivate?: readonly string[];
  /** As for the worker. @default false */
  readonly allowLoopback?: boolean;
  /** As for the worker. @default none */
  readonly proxies?: Proxies;
}

/** The outcome of a test event. */
export interface TestEventResult extends AttemptResult {
  readonly id: string;
  readonly delivered: boolean;
}

/**
 * Sends one event `webhook-test` to an endpoint, under the same rules and with the same headers as any other, without
 * recording it or trying again. Throws `ChatError` `bad_request` for an endpoint that can never work.
 */
export async function sendTestEvent(options: TestEventOptions): Promise<TestEventResult> {
  const { endpoint, clock, app, allowPrivate = [], allowLoopback = false, proxies } = options;
  const policy = createAddressPolicy([...allowPrivate, ...(allowLoopback ? loopbackRanges : [])]);
  assertUsableEndpoint(endpoint, policy);
  const now = clock.now();
  const { id, body } = createWebhookTest(app, now);
  const sender = createHttpSender({ policy, clock, ...(proxies === undefined ? {} : { proxies }) });
  try {
    const headers = createSigner(endpoint.secrets)(id, body, now);
    const result = await sender.send({ url: endpoint.url, body, headers });
    return { ...result, id, delivered: judgeAttempt(result.status) === "delivered" };
  } finally {
    await sender.close();
  }
}
