import type { Clock } from "@chat21/engine";
import type { WebhookSettings, WebhookStore } from "@chat21/events";
import { deliveryRows } from "@chat21/events";
import type { OriginalQueueMessage } from "./broker-queues.ts";
import { originalWebhookEvent } from "./webhook-event.ts";

/**
 * The outcome of a recording. `recorded`: its rows are durable. `unwanted`: webhooks are off, have no endpoint, or do
 * not send this event. `refused`: no original writes such a message.
 */
export type OriginalWebhookOutcome = "recorded" | "unwanted" | "refused";

/** Ports and settings of {@link createOriginalWebhookRecorder}. */
export interface OriginalWebhookRecorder {
  /** Its endpoints get the events, instead of the original's endpoints. */
  readonly settings: Pick<WebhookSettings, "enabled" | "endpoints" | "events">;
  readonly store: Pick<WebhookStore, "enqueue">;
  readonly clock: Pick<Clock, "now">;
}

/**
 * Makes the function that takes over webhooks that an original had not sent yet: rows for the endpoints, with ids made
 * of the queue's content, so that a repeat adds nothing. Call it in the queue's order, one after the other. Rejects
 * with the store's error.
 */
export function createOriginalWebhookRecorder({
  settings: { enabled, endpoints, events },
  store,
  clock,
}: OriginalWebhookRecorder): (webhook: OriginalQueueMessage) => Promise<OriginalWebhookOutcome> {
  const urls = enabled ? endpoints.map(({ url }) => url) : [];
  const wanted = new Set<string>([...events, "presence-change"]);
  return async (webhook) => {
    if (urls.length === 0) return "unwanted";
    const draft = originalWebhookEvent(webhook);
    if (draft === null) return "refused";
    if (!wanted.has(draft.event)) return "unwanted";
    await store.enqueue(deliveryRows(draft, urls, clock.now()));
    return "recorded";
  };
}
