import type { Clock, EventSink } from "@chat21/engine";
import type { WebhookSettings } from "./webhook-settings.ts";
import { createWebhookSink } from "./webhook-sink.ts";
import type { WebhookStore } from "./webhook-store.ts";

/** Options of {@link webhookSinks}, which record webhooks for other processes to send. */
export interface WebhookRecorderOptions {
  readonly settings: Pick<WebhookSettings, "enabled" | "endpoints" | "events">;
  readonly store: Pick<WebhookStore, "enqueue">;
  readonly clock: Pick<Clock, "now">;
}

/** The webhook sink for an engine where webhooks are on and have endpoints; else no sink. */
export function webhookSinks({ settings, store, clock }: WebhookRecorderOptions): readonly EventSink[] {
  const { enabled, endpoints, events } = settings;
  return enabled && endpoints.length > 0 ? [createWebhookSink({ endpoints, events, store, clock })] : [];
}
