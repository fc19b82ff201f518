import type { StoredWebhookDelivery } from "@chat21/events";
import type { Row } from "./event-rows.ts";

/** Columns of {@link toDelivery}. */
export const deliveryColumns = `position, id, endpoint, app, order_key, event, state, created_at, queued_at, attempts,
  next_attempt_at, last_status, last_error, settled_at, body`;

/** The delivery of a row of {@link deliveryColumns}. */
export function toDelivery(row: Row): StoredWebhookDelivery {
  return {
    position: row["position"] as number,
    id: row["id"] as string,
    endpoint: row["endpoint"] as string,
    app: row["app"] as string,
    orderKey: row["order_key"] as string,
    event: row["event"] as string,
    state: row["state"] as StoredWebhookDelivery["state"],
    createdAt: row["created_at"] as number,
    queuedAt: row["queued_at"] as number,
    attempts: row["attempts"] as number,
    nextAttemptAt: row["next_attempt_at"] as number,
    lastStatus: row["last_status"] as number | null,
    lastError: row["last_error"] as string | null,
    settledAt: row["settled_at"] as number | null,
    body: row["body"] as string,
  };
}
