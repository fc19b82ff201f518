import type { Clock, EventSink, Fact } from "@chat21/engine";
import { looksLikeGroupId, usualWebhookEvents } from "@chat21/protocol";
import { deliveryRows } from "./delivery-rows.ts";
import type { WebhookEndpoint } from "./endpoint.ts";
import { eventsOf } from "./fact-events.ts";
import type { WebhookDelivery, WebhookStore } from "./webhook-store.ts";

/** The parts and settings of a webhook sink. */
export interface WebhookSinkOptions {
  /** Every endpoint gets every event. Without endpoints facts are accepted and nothing is recorded. */
  readonly endpoints: readonly Pick<WebhookEndpoint, "url">[];
  /**
   * Which events are recorded, by name. `presence-change` is recorded in any case. `usualWebhookEvents` leaves out archives
   * of direct conversations, which existing backends answer with 400 in normal use. @default `usualWebhookEvents`
   */
  readonly events?: readonly string[];
  readonly store: Pick<WebhookStore, "enqueue">;
  readonly clock: Pick<Clock, "now">;
  /** Called after rows became durable: wakes a worker of the same process. @default nobody is woken */
  readonly onEnqueued?: () => void;
}

/** Rows of one write: bounds the memory that a message to a large group takes. */
const rowsOfOneWrite = 500;

interface Waiting {
  readonly facts: readonly Fact[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Makes delivery rows of facts. `accept` resolves when all rows are durable and rejects with the store's error. It may
 * be repeated: the rows' ids are made from the facts, so a repeat adds nothing. Calls take effect in order; calls that
 * come while a write is under way share the next one.
 */
export function createWebhookSink(options: WebhookSinkOptions): EventSink {
  const { store, clock, onEnqueued } = options;
  const urls = options.endpoints.map((endpoint) => endpoint.url);
  const events = options.events ?? usualWebhookEvents;
  const isUsual = events === usualWebhookEvents;
  const wanted = new Set<string>([...events, "presence-change"]);
  let waiting: Waiting[] = [];
  let writing = false;

  const write = async (facts: Iterable<Fact>): Promise<void> => {
    let rows: WebhookDelivery[] = [];
    for (const fact of facts) {
      if (isUsual && fact.kind === "archived" && !looksLikeGroupId(fact.conversWith)) continue;
      for (const draft of eventsOf(fact, wanted)) {
        rows.push(...deliveryRows(draft, urls, clock.now()));
        if (rows.length < rowsOfOneWrite) continue;
        await store.enqueue(rows);
        rows = [];
      }
    }
    if (rows.length > 0) await store.enqueue(rows);
  };

  const writeWaiting = async (): Promise<void> => {
    writing = true;
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      try {
        await write(batch.flatMap(({ facts }) => facts));
        onEnqueued?.();
        for (const { resolve } of batch) resolve();
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    writing = false;
  };

  return {
    name: "webhooks",
    accept: (facts) =>
      new Promise((resolve, reject) => {
        waiting.push({ facts, resolve, reject });
        if (!writing) void writeWaiting();
      }),
  };
}
