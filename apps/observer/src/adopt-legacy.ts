import type { LegacyMessage } from "@chat21/broker-amqp";
import { adoptPersistMessage, type Clock, type Log, type Store } from "@chat21/engine";
import { createOriginalWebhookRecorder, type WebhookSettings } from "@chat21/events";
import { ChatError } from "@chat21/protocol";

/** What a {@link LegacyAdopter} is made of. */
export interface LegacyAdopterOptions {
  readonly store: Store;
  readonly webhooks: Pick<WebhookSettings, "enabled" | "endpoints" | "events">;
  readonly clock: Pick<Clock, "now">;
  readonly log: Pick<Log, "info" | "warn">;
}

/** Takes what an original deployment had accepted and not finished. */
export interface LegacyAdopter {
  onLegacyPersist(message: LegacyMessage): Promise<void>;
  onLegacyWebhook(message: LegacyMessage): Promise<void>;
  /** Says in the log how much there was, where there was anything. */
  report(): void;
}

/**
 * Makes the handlers of the original's queues. A message becomes the newest event of its conversation unless it is there
 * already; a webhook becomes rows of the outbox. Both may be repeated, reject with `bad_request` what no original has put
 * there, and with the store's error when it fails.
 */
export function createLegacyAdopter({ store, webhooks, clock, log }: LegacyAdopterOptions): LegacyAdopter {
  const messages = { appended: 0, known: 0 };
  const sent = { recorded: 0, unwanted: 0 };
  const record = createOriginalWebhookRecorder({ settings: webhooks, store: store.webhooks, clock });
  return {
    async onLegacyPersist(message) {
      messages[await adopt(store, message, clock)] += 1;
    },
    async onLegacyWebhook(message) {
      const outcome = await record(message);
      if (outcome === "refused") throw new ChatError("bad_request", "no webhook of an original");
      sent[outcome] += 1;
    },
    report() {
      if (messages.appended + messages.known > 0) log.info(messages, "took over the original's messages");
      if (sent.recorded > 0) log.info({ recorded: sent.recorded }, "took over the original's webhooks");
      if (sent.unwanted > 0) {
        log.warn({ dropped: sent.unwanted }, "dropped webhooks of the original: nothing here is to get them");
      }
    },
  };
}

async function adopt(
  store: Store,
  message: LegacyMessage,
  clock: Pick<Clock, "now">,
): Promise<"appended" | "known"> {
  const result = await adoptPersistMessage(store, message, clock);
  switch (result.status) {
    case "appended":
    case "known":
      return result.status;
    case "stub":
      throw new ChatError("bad_request", "malformed: no sender, or no recipient");
    case "refused":
      throw new ChatError("bad_request", [result.reason, result.detail].filter(Boolean).join(": "));
  }
}
