/** Webhook event names, as existing consumers know them. All but `presence-change` pass the `WEBHOOK_EVENTS` filter. */
export const webhookEvents = [
  "message-sent",
  "message-delivered",
  "message-received",
  "message-return-receipt",
  "conversation-archived",
  "conversation-unarchived",
  "presence-change",
] as const;

/** One of {@link webhookEvents}. */
export type WebhookEvent = (typeof webhookEvents)[number];
