import { randomUUID } from "node:crypto";
import type { Log } from "@chat21/engine";
import type { StoredWebhookDelivery, WebhookLease, WebhookQuery, WebhookStore } from "@chat21/events";
import type { mongo } from "mongoose";
import type { Database } from "./database.ts";
import type { DeliveryDocument } from "./documents.ts";
import { watchArrivals } from "./webhook-arrivals.ts";
import { renewLanes } from "./webhook-lanes.ts";
import { createWebhookWrites, toStoredDelivery } from "./webhook-writes.ts";

/** Fronts that one step leases. */
const headsPerStep = 500;

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

  /** Claims rows that are due and free, each at most once; answers those that are ours now. */
  async function claim(positions: readonly number[], { now, leaseUntil }: WebhookLease) {
    const leasedBy = randomUUID();
    const free = { state: "pending" as const, leasedUntil: { $lte: now }, nextAttemptAt: { $lte: now } };
    const claimed = await deliveries.updateMany(
      { position: { $in: [...positions] }, ...free },
      { $set: { leasedUntil: leaseUntil, leasedBy } },
    );
    if (claimed.matchedCount === 0) return [];
    return deliveries.find({ position: { $in: [...positions] }, leasedBy }).toArray();
  }

  /** Of two workers that want the same fronts each gets some; the row decides. Answers whether more may be due. */
  async function leaseStep(asked: WebhookLease, limit: number) {
    const { endpoint, now, leaseUntil, turn = "oldest" } = asked;
    const direction = turn === "oldest" ? 1 : -1;
    const due = await lanes
      .find(
        { endpoint, dueAt: { $lte: now } },
        {
          ...{ projection: { position: 1 }, limit, hint: "due_order" },
          sort: { dueAt: direction, position: direction },
        },
      )
      .toArray();
    const positions = due.flatMap(({ position }) => (position === undefined ? [] : [position]));
    const rows = positions.length === 0 ? [] : await claim(positions, asked);
    const ours = new Map(rows.map((row) => [row.position, row]));
    if (rows.length > 0) {
      const held = { _id: { $in: rows.map(({ lane }) => lane) }, position: { $in: [...ours.keys()] } };
      await lanes.updateMany(held, { $set: { dueAt: leaseUntil }, $inc: { changes: 1 } });
    }
    // Somebody else has these rows, or was killed before it told their lanes.
    const lost = due.filter(({ position }) => position === undefined || !ours.has(position));
    await renewLanes(
      collections,
      lost.map(({ _id }) => _id),
    );
    const inTurn = positions.flatMap((position) => ours.get(position) ?? []);
    return { rows: inTurn.map(toStoredDelivery), isLast: due.length < limit };
  }

  async function lease(asked: WebhookLease): Promise<StoredWebhookDelivery[]> {
    const taken: StoredWebhookDelivery[] = [];
    while (taken.length < asked.limit) {
      const { rows, isLast } = await leaseStep(asked, Math.min(headsPerStep, asked.limit - taken.length));
      taken.push(...rows);
      if (isLast) break;
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
