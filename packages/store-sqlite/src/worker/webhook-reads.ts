import type { DatabaseSync } from "node:sqlite";
import type { StoredWebhookDelivery, WebhookQuery } from "@chat21/events";
import { deliveryColumns, toDelivery } from "./webhook-rows.ts";

/** Reads of the webhooks' outbox. */
export interface WebhookReads {
  dueWebhooks(): { endpoint: string; dueAt: number }[];
  listWebhooks(query: WebhookQuery): StoredWebhookDelivery[];
}

/** Works inside the caller's snapshot. */
export function createWebhookReads(database: DatabaseSync): WebhookReads {
  const nextEndpoint = database.prepare(
    `SELECT endpoint, due_at FROM webhook_delivery INDEXED BY webhook_head_due
     WHERE is_head = 1 AND endpoint > ? ORDER BY endpoint, due_at LIMIT 1`,
  );
  const byId = database.prepare(`SELECT ${deliveryColumns} FROM webhook_delivery WHERE id = ?`);
  const filters = `position < :before AND (:state IS NULL OR state = :state) AND (:event IS NULL OR event = :event)
     AND (:endpoint IS NULL OR endpoint = :endpoint)`;
  const list = (from: string) =>
    database.prepare(
      `SELECT ${deliveryColumns} FROM webhook_delivery ${from} AND ${filters} ORDER BY position DESC LIMIT :limit`,
    );
  // Rows of the other states are found from the newest backwards; dead ones may be rare.
  const all = list("WHERE 1");
  const dead = list("INDEXED BY webhook_dead WHERE state = 'dead'");
  return {
    dueWebhooks() {
      const dues: { endpoint: string; dueAt: number }[] = [];
      for (
        let row = nextEndpoint.get("");
        row !== undefined;
        row = nextEndpoint.get(dues.at(-1)?.endpoint ?? "")
      ) {
        dues.push({ endpoint: row["endpoint"] as string, dueAt: row["due_at"] as number });
      }
      return dues;
    },
    listWebhooks(query) {
      const {
        id,
        endpoint = null,
        state = null,
        event = null,
        before = Number.MAX_SAFE_INTEGER,
        limit,
      } = query;
      if (id !== undefined) {
        return byId
          .all(id)
          .map(toDelivery)
          .filter((row) => endpoint === null || row.endpoint === endpoint)
          .filter((row) => state === null || row.state === state)
          .filter((row) => event === null || row.event === event)
          .filter((row) => row.position < before)
          .slice(0, limit);
      }
      return (state === "dead" ? dead : all).all({ endpoint, state, event, before, limit }).map(toDelivery);
    },
  };
}
