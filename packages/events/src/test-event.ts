import { randomUUID } from "node:crypto";

/** The event that shows an operator whether an endpoint works. */
export interface WebhookTest {
  /** The `webhook-id`. */
  readonly id: string;
  readonly event: "webhook-test";
  /** JSON text. */
  readonly body: string;
}

/** Makes a test event of an app. @param now milliseconds */
export function createWebhookTest(app: string, now: number): WebhookTest {
  const event = "webhook-test";
  const data = { text: "A test from Chat21" };
  return {
    id: `evt_test_${randomUUID()}`,
    event,
    body: JSON.stringify({ event_type: event, createdAt: now, app_id: app, data }),
  };
}
