import type { DatabaseSync } from "node:sqlite";

/**
 * The fronts of the lanes: `is_head` is 1 exactly for the pending row with the lowest position of each lane, which is
 * one (endpoint, order_key). Every change of which rows are pending updates it, so that a lease looks at fronts only.
 */
export interface WebhookLanes {
  /** Whether a row that is now enqueued behind all others becomes the front. */
  isEmpty(endpoint: string, orderKey: string): boolean;
  /** Finds the front anew. */
  refresh(endpoint: string, orderKey: string): void;
}

/** Works inside the caller's transaction. */
export function createWebhookLanes(database: DatabaseSync): WebhookLanes {
  const lowest = database.prepare(
    `SELECT position, is_head FROM webhook_delivery WHERE endpoint = ? AND order_key = ? AND state = 'pending'
     ORDER BY position LIMIT 1`,
  );
  const demote = database.prepare(
    `UPDATE webhook_delivery SET is_head = 0
     WHERE endpoint = ? AND order_key = ? AND state = 'pending' AND is_head = 1 AND position > ?`,
  );
  const promote = database.prepare("UPDATE webhook_delivery SET is_head = 1 WHERE position = ?");
  return {
    isEmpty: (endpoint, orderKey) => lowest.get(endpoint, orderKey) === undefined,
    refresh(endpoint, orderKey) {
      const front = lowest.get(endpoint, orderKey);
      if (front === undefined || front["is_head"] === 1) return;
      demote.run(endpoint, orderKey, front["position"] as number);
      promote.run(front["position"] as number);
    },
  };
}
