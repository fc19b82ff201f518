/**
 * Webhook event names. All but `presence-change` pass the `WEBHOOK_EVENTS` filter. The first seven are those that consumers
 * of an original Chat21 know; see {@link usualWebhookEvents}.
 */
export const webhookEvents = [
  "message-sent",
  "message-delivered",
  "message-received",
  "message-return-receipt",
  "conversation-archived",
  "conversation-unarchived",
  "presence-change",
  "message-deleted",
] as const;

/** One of {@link webhookEvents}. */
export type WebhookEvent = (typeof webhookEvents)[number];

/** The events that are sent where no choice is made: a consumer that was written for an original meets no other name. */
export const usualWebhookEvents: readonly WebhookEvent[] = webhookEvents.filter(
  (event) => event !== "message-deleted",
);
