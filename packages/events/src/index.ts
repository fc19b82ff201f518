export { isAddressRange } from "./address-range.ts";
export type { BackendEvent } from "./backend-events.ts";
export { createBackendEvents } from "./backend-events.ts";
export type {
  DeliveryLog,
  DeliveryLogOptions,
  DeliverySummary,
  ReplayRequest,
} from "./delivery-log.ts";
export { createDeliveryLog } from "./delivery-log.ts";
export { deliveryRows } from "./delivery-rows.ts";
export type { WebhookEndpoint } from "./endpoint.ts";
export { chooseEndpoint, endpointLabel, normalizeEndpointUrl } from "./endpoint.ts";
export type { ConversationBody, MessageBody, PresenceBody } from "./event-body.ts";
export { conversationBody, messageBody, presenceBody } from "./event-body.ts";
export type { BackendEventDraft } from "./fact-events.ts";
export type { WebhookTest } from "./test-event.ts";
export { createWebhookTest } from "./test-event.ts";
export type { WebhookSecret } from "./webhook-secret.ts";
export { generateWebhookSecret, isWebhookSecret } from "./webhook-secret.ts";
export type { WebhookSettings } from "./webhook-settings.ts";
export {
  webhookSettingDefaults,
  webhookSettingsSchema,
  webhookVariables,
  withSecrets,
} from "./webhook-settings.ts";
export type { WebhookSinkOptions } from "./webhook-sink.ts";
export { createWebhookSink } from "./webhook-sink.ts";
export type { WebhookRecorderOptions } from "./webhook-sinks.ts";
export { webhookSinks } from "./webhook-sinks.ts";
export type {
  StoredWebhookDelivery,
  WebhookBounds,
  WebhookDelivery,
  WebhookLease,
  WebhookOutcome,
  WebhookQuery,
  WebhookStore,
} from "./webhook-store.ts";
