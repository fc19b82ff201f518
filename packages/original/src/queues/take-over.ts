import type { Clock, Log, Store } from "@chat21/engine";
import type { WebhookSettings, WebhookStore } from "@chat21/events";
import { ChatError } from "@chat21/protocol";
import type { OriginalBrokerQueues, OriginalQueueMessage } from "./broker-queues.ts";
import { takePersistedMessage } from "./take-persisted.ts";
import { takeOriginalQueues } from "./take-queues.ts";
import { createOriginalWebhookRecorder } from "./webhook-recorder.ts";

/** Parts and settings of an {@link OriginalTakeOver}. */
export interface OriginalTakeOverOptions {
  readonly store: Store & { readonly webhooks: WebhookStore };
  readonly webhooks: Pick<WebhookSettings, "enabled" | "endpoints" | "events">;
  readonly clock: Pick<Clock, "now" | "delay">;
  readonly log: Pick<Log, "info" | "warn">;
  /** Apps whose bindings end. @default the app that existing clients have built in */
  readonly apps?: readonly string[] | undefined;
  /** Leaves the queues bound, and growing. @default false */
  readonly keepsQueues?: boolean;
}

/** Takes over messages that an original deployment had accepted and not finished. */
export interface OriginalTakeOver {
  /** Empties and deletes the original's queues; see {@link takeOriginalQueues}. */
  take(queues: OriginalBrokerQueues): Promise<void>;
  /** Stores a message of the queue `persist`. */
  takePersisted(message: OriginalQueueMessage): Promise<void>;
  /** Records a message of the queue `webhooks`. */
  takeWebhook(message: OriginalQueueMessage): Promise<void>;
  /** Logs the numbers, unless there was nothing. */
  report(): void;
}

/**
 * Makes the take-over of the original's queues. A message becomes the newest event of its conversation unless it is
 * there already; a webhook becomes rows of the outbox. Both may be repeated. They reject with `bad_request` for a
 * message that no original writes, and with the store's error when it fails.
 */
export function createOriginalTakeOver(options: OriginalTakeOverOptions): OriginalTakeOver {
  const { store, webhooks, clock, log, apps, keepsQueues = false } = options;
  const messages = { appended: 0, known: 0 };
  const sent = { recorded: 0, unwanted: 0 };
  const record = createOriginalWebhookRecorder({ settings: webhooks, store: store.webhooks, clock });

  async function takePersisted(message: OriginalQueueMessage): Promise<void> {
    messages[await append(store, message, clock)] += 1;
  }

  async function takeWebhook(message: OriginalQueueMessage): Promise<void> {
    const outcome = await record(message);
    if (outcome === "refused") throw new ChatError("bad_request", "no webhook of an original");
    sent[outcome] += 1;
  }

  return {
    take: (queues) =>
      takeOriginalQueues({
        ...{ queues, apps, clock, log, isKept: keepsQueues },
        ...{ onPersisted: takePersisted, onWebhook: takeWebhook },
      }),
    takePersisted,
    takeWebhook,
    report() {
      if (messages.appended + messages.known > 0) log.info(messages, "took over the original's messages");
      if (sent.recorded > 0) log.info({ recorded: sent.recorded }, "took over the original's webhooks");
      if (sent.unwanted > 0) {
        log.warn({ dropped: sent.unwanted }, "dropped webhooks of the original: nothing here is to get them");
      }
    },
  };
}

async function append(
  store: Store,
  message: OriginalQueueMessage,
  clock: Pick<Clock, "now">,
): Promise<"appended" | "known"> {
  const result = await takePersistedMessage(store, message, clock);
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
