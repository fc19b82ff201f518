import type { DatabaseSync } from "node:sqlite";
import type {
  StoredWebhookDelivery,
  WebhookBounds,
  WebhookDelivery,
  WebhookLease,
  WebhookOutcome,
} from "@chat21/events";
import { bulkStep } from "../bulk-step.ts";
import type { Row } from "./event-rows.ts";
import { createWebhookLanes, type WebhookLanes } from "./webhook-lanes.ts";
import { deliveryColumns, toDelivery } from "./webhook-rows.ts";

/** The webhooks' outbox on the connection that writes. Bulk changes are repeated by the caller while they fill a step. */
export interface WebhookWrites {
  enqueue(deliveries: readonly WebhookDelivery[]): void;
  lease(lease: WebhookLease): StoredWebhookDelivery[];
  settle(outcomes: readonly WebhookOutcome[]): void;
  /** Ends every lease: for the moment when all holders of leases are surely gone. */
  release(): void;
  replayIds(ids: readonly string[], now: number): number;
  replayDead(endpoint: string, now: number): number;
  hasten(endpoint: string, now: number): number;
  bound(endpoint: string, bounds: WebhookBounds): number;
  giveUp(endpoint: string, queuedBefore: number, now: number, error: string): number;
  skip(ids: readonly string[], now: number, error: string): number;
  remove(ids: readonly string[]): number;
  prune(state: "delivered" | "dead", settledBefore: number, limit: number): number;
}

function createEnqueue(database: DatabaseSync, lanes: WebhookLanes): WebhookWrites["enqueue"] {
  const insert = database.prepare(
    `INSERT INTO webhook_delivery
       (id, endpoint, app, order_key, event, is_head, created_at, queued_at, next_attempt_at, body)
     VALUES (:id, :endpoint, :app, :orderKey, :event, :isHead, :createdAt, :createdAt, :createdAt, :body)
     ON CONFLICT (id) DO NOTHING`,
  );
  return (deliveries) => {
    for (const { id, endpoint, app, orderKey, event, createdAt, body } of deliveries) {
      const isHead = lanes.isEmpty(endpoint, orderKey) ? 1 : 0;
      insert.run({ id, endpoint, app, orderKey, event, createdAt, body, isHead });
    }
  };
}

function createLease(database: DatabaseSync): WebhookWrites["lease"] {
  const due = (direction: "ASC" | "DESC") =>
    database.prepare(
      `SELECT position FROM webhook_delivery INDEXED BY webhook_head_due
       WHERE endpoint = ? AND is_head = 1 AND due_at <= ?
       ORDER BY due_at ${direction}, position ${direction} LIMIT ?`,
    );
  const inTurn = { oldest: due("ASC"), newest: due("DESC") };
  const take = database.prepare(
    `UPDATE webhook_delivery SET leased_until = ? WHERE position = ? RETURNING ${deliveryColumns}`,
  );
  return ({ endpoint, now, leaseUntil, limit, turn = "oldest" }) =>
    inTurn[turn]
      .all(endpoint, now, limit)
      .map(({ position }) => toDelivery(take.get(leaseUntil, position as number) as Row));
}

function createSettle(database: DatabaseSync, lanes: WebhookLanes): WebhookWrites["settle"] {
  const settle = database.prepare(
    `UPDATE webhook_delivery SET state = :state, attempts = attempts + 1, leased_until = 0,
       is_head = CASE :state WHEN 'pending' THEN is_head ELSE 0 END,
       next_attempt_at = CASE :state WHEN 'pending' THEN :nextAttemptAt ELSE next_attempt_at END,
       last_status = :status, last_error = :error, settled_at = CASE :state WHEN 'pending' THEN NULL ELSE :at END
     WHERE id = :id AND state = 'pending' AND leased_until = :leaseUntil
     RETURNING endpoint, order_key`,
  );
  return (outcomes) => {
    for (const { id, leaseUntil, state, nextAttemptAt, status, error, at } of outcomes) {
      const row = settle.get({ id, leaseUntil, state, nextAttemptAt, status, error, at });
      if (row !== undefined) lanes.refresh(row["endpoint"] as string, row["order_key"] as string);
    }
  };
}

function createBulkChanges(database: DatabaseSync, lanes: WebhookLanes) {
  const replay = `state = 'pending', is_head = 0, attempts = 0, queued_at = :now, next_attempt_at = :now,
    leased_until = 0, settled_at = NULL`;
  const replayId = database.prepare(
    `UPDATE webhook_delivery SET ${replay} WHERE id = :id AND leased_until <= :now RETURNING endpoint, order_key`,
  );
  const replayDead = database.prepare(
    `UPDATE webhook_delivery SET ${replay} WHERE position IN
       (SELECT position FROM webhook_delivery WHERE endpoint = :endpoint AND state = 'dead' LIMIT ${bulkStep})
     RETURNING endpoint, order_key`,
  );
  const hasten = database.prepare(
    `UPDATE webhook_delivery SET next_attempt_at = :now WHERE position IN
       (SELECT position FROM webhook_delivery INDEXED BY webhook_head_due WHERE endpoint = :endpoint AND is_head = 1
        AND due_at > :now AND leased_until <= :now LIMIT ${bulkStep})`,
  );
  const rowsOf = (index: string) =>
    `SELECT position FROM webhook_delivery INDEXED BY ${index} WHERE endpoint = :endpoint`;
  // Each row is found once: a step that finds fewer rows than it may is the last one.
  const bound = database.prepare(
    `UPDATE webhook_delivery SET queued_at = min(queued_at, :now),
       next_attempt_at = min(next_attempt_at, :now),
       leased_until = min(leased_until, :latestLease)
     WHERE state = 'pending' AND position IN
       (${rowsOf("webhook_queued")} AND state = 'pending' AND queued_at > :now
        UNION ALL ${rowsOf("webhook_leased")} AND leased_until > 0 AND leased_until > :latestLease
          AND queued_at <= :now
        UNION ALL ${rowsOf("webhook_head_due")} AND is_head = 1 AND due_at > :latestAttempt
          AND next_attempt_at > :latestAttempt AND queued_at <= :now AND leased_until <= :latestLease
        LIMIT ${bulkStep})`,
  );
  const giveUp = database.prepare(
    `UPDATE webhook_delivery
     SET state = 'dead', is_head = 0, leased_until = 0, last_error = :error, settled_at = :now
     WHERE position IN (SELECT position FROM webhook_delivery WHERE endpoint = :endpoint AND state = 'pending'
       AND queued_at < :queuedBefore AND leased_until <= :now LIMIT ${bulkStep})
     RETURNING endpoint, order_key`,
  );
  const skip = database.prepare(
    `UPDATE webhook_delivery
     SET state = 'dead', is_head = 0, leased_until = 0, last_error = :error, settled_at = :now
     WHERE id = :id AND state = 'pending' AND leased_until <= :now RETURNING endpoint, order_key`,
  );
  const remove = database.prepare("DELETE FROM webhook_delivery WHERE id = ? AND state <> 'pending'");
  const prune = database.prepare(
    `DELETE FROM webhook_delivery WHERE position IN
       (SELECT position FROM webhook_delivery WHERE state = ? AND settled_at < ? AND settled_at IS NOT NULL LIMIT ?)`,
  );
  const refreshed = (rows: readonly Row[]) => {
    for (const row of rows) lanes.refresh(row["endpoint"] as string, row["order_key"] as string);
    return rows.length;
  };
  return {
    replayIds: (ids: readonly string[], now: number) =>
      refreshed([...new Set(ids)].flatMap((id) => replayId.all({ id, now }))),
    replayDead: (endpoint: string, now: number) => refreshed(replayDead.all({ endpoint, now })),
    hasten: (endpoint: string, now: number) => Number(hasten.run({ endpoint, now }).changes),
    bound: (endpoint: string, { now, waitMs, leaseMs }: WebhookBounds) =>
      Number(bound.run({ endpoint, now, latestAttempt: now + waitMs, latestLease: now + leaseMs }).changes),
    giveUp: (endpoint: string, queuedBefore: number, now: number, error: string) =>
      refreshed(giveUp.all({ endpoint, queuedBefore, now, error })),
    skip: (ids: readonly string[], now: number, error: string) =>
      refreshed(ids.flatMap((id) => skip.all({ id, now, error }))),
    remove: (ids: readonly string[]) =>
      ids.reduce((removed, id) => removed + Number(remove.run(id).changes), 0),
    prune: (state: "delivered" | "dead", settledBefore: number, limit: number) =>
      Number(prune.run(state, settledBefore, limit).changes),
  };
}

/** Works inside the caller's transaction. */
export function createWebhookWrites(database: DatabaseSync): WebhookWrites {
  const lanes = createWebhookLanes(database);
  return {
    enqueue: createEnqueue(database, lanes),
    lease: createLease(database),
    settle: createSettle(database, lanes),
    release: () => {
      database.exec("UPDATE webhook_delivery SET leased_until = 0 WHERE is_head = 1 AND leased_until > 0");
    },
    ...createBulkChanges(database, lanes),
  };
}
