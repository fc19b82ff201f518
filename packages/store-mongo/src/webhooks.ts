import type { Log } from "@chat21/engine";
import type { StoredWebhookDelivery, WebhookLease, WebhookQuery, WebhookStore } from "@chat21/events";
import type { mongo } from "mongoose";
import type { Database } from "./database.ts";
import type { DeliveryDocument } from "./documents.ts";
import { watchArrivals } from "./webhook-arrivals.ts";
import { createWebhookWrites, toStoredDelivery } from "./webhook-writes.ts";

/** Heads that one transaction leases. */
const headsPerStep = 500;

/** A row that was leased before is due again when that lease ends. */
const dueAtOf = ({ nextAttemptAt, leasedUntil }: DeliveryDocument) => Math.max(nextAttemptAt, leasedUntil);
const byTurn = (a: DeliveryDocument, b: DeliveryDocument) =>
  dueAtOf(a) - dueAtOf(b) || a.position - b.position;

function filterOf({ id, endpoint, state, event, before }: WebhookQuery): mongo.Filter<DeliveryDocument> {
  return {
    ...(id === undefined ? {} : { _id: id }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(state === undefined ? {} : { state }),
    ...(event === undefined ? {} : { event }),
    ...(before === undefined ? {} : { position: { $lt: before } }),
  };
}

/** The webhooks' outbox. */
export function createWebhooks(database: Database, log: Log | undefined): WebhookStore {
  const { collections, queryTimeoutMs: maxTimeMS } = database;
  const { deliveries, lanes } = collections;

  /** Two workers that want the same fronts conflict in the lanes; the one that lost finds the next. */
  function leaseStep({ endpoint, now, leaseUntil, turn = "oldest" }: WebhookLease, limit: number) {
    const direction = turn === "oldest" ? 1 : -1;
    return database.transaction(async (session): Promise<StoredWebhookDelivery[]> => {
      const due = await lanes
        .find(
          { endpoint, dueAt: { $lte: now } },
          {
            ...{ projection: { position: 1 }, session, limit, hint: "due_order" },
            sort: { dueAt: direction, position: direction },
          },
        )
        .toArray();
      if (due.length === 0) return [];
      const positions = due.flatMap(({ position }) => (position === undefined ? [] : [position]));
      const rows = await deliveries.find({ position: { $in: positions } }, { session }).toArray();
      rows.sort((a, b) => direction * byTurn(a, b));
      await lanes.updateMany(
        { _id: { $in: due.map(({ _id }) => _id) } },
        { $set: { dueAt: leaseUntil }, $inc: { changes: 1 } },
        { session },
      );
      await deliveries.updateMany(
        { _id: { $in: rows.map(({ _id }) => _id) } },
        { $set: { leasedUntil: leaseUntil } },
        { session },
      );
      return rows.map(toStoredDelivery);
    });
  }

  async function lease(asked: WebhookLease): Promise<StoredWebhookDelivery[]> {
    const taken: StoredWebhookDelivery[] = [];
    while (taken.length < asked.limit) {
      const step = Math.min(headsPerStep, asked.limit - taken.length);
      const fronts = await leaseStep(asked, step);
      taken.push(...fronts);
      if (fronts.length < step) break;
    }
    return taken;
  }

  return {
    ...createWebhookWrites(database),
    onEnqueued: (listener) => watchArrivals(deliveries, listener, log),
    lease: (asked) => database.call(() => lease(asked)),
    due: () =>
      database.call(async () => {
        const found = await lanes
          .aggregate<{ _id: string; dueAt: number }>(
            [
              { $sort: { endpoint: 1, dueAt: 1 } },
              { $group: { _id: "$endpoint", dueAt: { $first: "$dueAt" } } },
            ],
            { maxTimeMS, hint: "due_order" },
          )
          .toArray();
        return found.map(({ _id, dueAt }) => ({ endpoint: _id, dueAt }));
      }),
    list: (query) =>
      database.call(async () => {
        const found = await deliveries
          .find(filterOf(query), { maxTimeMS })
          .sort({ position: -1 })
          .limit(query.limit)
          .toArray();
        return found.map(toStoredDelivery);
      }),
  };
}
