/**
 * Webhook event names. All but `presence-change` pass the `WEBHOOK_EVENTS` filter. Consumers of an original Chat21 know
 * the first seven; see {@link usualWebhookEvents}.
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

/** The events that are sent by default: consumers of an original Chat21 know all of them. */
export const usualWebhookEvents: readonly WebhookEvent[] = /* @__PURE__ */ webhookEvents.filter(
  (event) => event !== "message-deleted",
);
