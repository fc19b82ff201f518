import type { Clock } from "@chat21/engine";
import {
  chooseEndpoint,
  createDeliveryLog,
  createWebhookTest,
  type StoredWebhookDelivery,
  type WebhookSettings,
  type WebhookStore,
} from "@chat21/events";
import type { OperatorWebhooks } from "./operator-api.ts";

/** Times of a test event, milliseconds. */
const testTimes = {
  /** Between two looks whether it was tried. */
  lookMs: 250,
  /** A sender finds it within 5 s, and its request takes at most 30 s. */
  longestMs: 40_000,
} as const;

/** Options of {@link recordedWebhooks}. */
export interface RecordedWebhooksOptions {
  readonly settings: Pick<WebhookSettings, "enabled" | "endpoints" | "events">;
  readonly store: WebhookStore;
  readonly clock: Pick<Clock, "delay" | "elapsed" | "now">;
}

/** Webhooks that this process records and other processes send. A test event goes the same way, and stands in the log. */
export function recordedWebhooks({ settings, store, clock }: RecordedWebhooksOptions): OperatorWebhooks {
  const { enabled, events } = settings;
  const endpoints = settings.endpoints.map(({ url }) => url);

  const tried = async (id: string): Promise<StoredWebhookDelivery | undefined> => {
    const since = clock.elapsed();
    while (clock.elapsed() - since < testTimes.longestMs) {
      await clock.delay(testTimes.lookMs);
      const [row] = await store.list({ id, limit: 1 });
      if (row === undefined || row.attempts > 0) return row;
    }
    return undefined;
  };

  return {
    log: createDeliveryLog({ store, clock }),
    describe: () => ({ enabled: enabled && endpoints.length > 0, endpoints, events }),
    async test(app, url) {
      const { url: endpoint } = chooseEndpoint(enabled ? settings.endpoints : [], url);
      const now = clock.now();
      const { id, event, body } = createWebhookTest(app, now);
      await store.enqueue([{ id, endpoint, app, event, body, orderKey: id, createdAt: now }]);
      const row = await tried(id);
      // A test is sent once.
      await store.giveUp({ ids: [id] }, clock.now(), row?.lastError ?? "no process sent it");
      const unsent = `no process sent it within ${testTimes.longestMs / 1_000} s; does chat21-webhooks run?`;
      return {
        id,
        delivered: row?.state === "delivered",
        status: row?.lastStatus ?? null,
        error: row === undefined ? unsent : row.lastError,
      };
    },
  };
}
