import type {
  StoredWebhookDelivery,
  WebhookBounds,
  WebhookDelivery,
  WebhookOutcome,
  WebhookStore,
} from "@chat21/events";
import type { mongo } from "mongoose";
import { chunksOf } from "./chunks-of.ts";
import type { Database } from "./database.ts";
import type { DeliveryDocument } from "./documents.ts";
import { duplicateIndexes } from "./mongo-failure.ts";
import { raiseLanes, remakeLanes, renewLanes } from "./webhook-lanes.ts";

/** Rows of one transaction; bulk changes go in such steps, so that workers get their turn in between. */
const rowsPerStep = 500;

/** The record of a row. */
export function toStoredDelivery(document: DeliveryDocument): StoredWebhookDelivery {
  const { _id, lane, leasedUntil, leasedBy, ...row } = document;
  return { id: _id, ...row };
}

function toDocument(delivery: WebhookDelivery, position: number): DeliveryDocument {
  const { id, endpoint, app, orderKey, event, body, createdAt } = delivery;
  return {
    ...{ _id: id, endpoint, app, orderKey, event, body, createdAt, position },
    lane: { endpoint, orderKey },
    state: "pending",
    queuedAt: createdAt,
    attempts: 0,
    nextAttemptAt: createdAt,
    leasedUntil: 0,
    lastStatus: null,
    lastError: null,
    settledAt: null,
  };
}

function toSettle(outcome: WebhookOutcome): mongo.AnyBulkWriteOperation<DeliveryDocument> {
  const { id, leaseUntil, state, nextAttemptAt, status, error, at } = outcome;
  const isPending = state === "pending";
  return {
    updateOne: {
      filter: { _id: id, state: "pending", leasedUntil: leaseUntil },
      update: {
        $set: {
          ...{ state, leasedUntil: 0, lastStatus: status, lastError: error },
          ...(isPending ? { nextAttemptAt } : {}),
          settledAt: isPending ? null : at,
        },
        $inc: { attempts: 1 },
      },
    },
  };
}

/**
 * Changes of rows. What happens to each message takes no transaction: it writes the rows, then their lanes, and a lane
 * that a killed process left behind is found too early, never too late. What operators do is one transaction with its
 * lanes, because a row may become due earlier by it.
 */
export function createWebhookWrites(
  database: Database,
): Pick<WebhookStore, "bound" | "enqueue" | "giveUp" | "hasten" | "prune" | "remove" | "replay" | "settle"> {
  const { collections, queryTimeoutMs: maxTimeMS } = database;
  const { counters, deliveries, lanes } = collections;

  /** Stores the rows whose ids are free; answers them. */
  async function insert(rows: readonly DeliveryDocument[]): Promise<readonly DeliveryDocument[]> {
    try {
      await deliveries.insertMany([...rows], { ordered: false });
      return rows;
    } catch (thrown) {
      const taken = duplicateIndexes(thrown);
      if (taken === null) throw thrown;
      return rows.filter((_, index) => !taken.has(index));
    }
  }

  async function enqueueStep(given: readonly WebhookDelivery[]): Promise<void> {
    const firsts = new Map<string, WebhookDelivery>();
    for (const row of given) if (!firsts.has(row.id)) firsts.set(row.id, row);
    const rows = [...firsts.values()];
    const counter = await counters.findOneAndUpdate(
      { _id: "webhook_position" },
      { $inc: { value: rows.length } },
      { upsert: true, returnDocument: "after" },
    );
    const first = (counter?.value ?? rows.length) - rows.length + 1;
    const documents = rows.map((row, index) => toDocument(row, first + index));
    const added = new Set(await insert(documents));
    if (added.size > 0) await raiseLanes(collections, [...added]);
    // Whoever added these may have died before it told their lanes.
    const known = documents.filter((document) => !added.has(document));
    await remakeLanes(
      collections,
      known.map(({ lane }) => lane),
    );
  }

  async function settleStep(outcomes: readonly WebhookOutcome[]): Promise<void> {
    const ids = outcomes.map(({ id }) => id);
    const rows = await deliveries
      .find({ _id: { $in: ids }, state: "pending" }, { projection: { lane: 1 } })
      .toArray();
    if (rows.length === 0) return;
    await deliveries.bulkWrite(outcomes.map(toSettle), { ordered: false });
    await renewLanes(
      collections,
      rows.map(({ lane }) => lane),
    );
  }

  /** Changes up to `rowsPerStep` of the rows; answers how many. */
  function changeStep(
    filter: mongo.Filter<DeliveryDocument>,
    change: mongo.UpdateFilter<DeliveryDocument> | mongo.Document[],
  ): Promise<number> {
    return database.transaction(async (session) => {
      const rows = await deliveries
        .find(filter, { projection: { lane: 1 }, session })
        .limit(rowsPerStep)
        .toArray();
      if (rows.length === 0) return 0;
      await deliveries.updateMany({ _id: { $in: rows.map(({ _id }) => _id) } }, change, { session });
      await remakeLanes(
        collections,
        rows.map(({ lane }) => lane),
        session,
      );
      return rows.length;
    });
  }

  async function untilNothing(step: () => Promise<number>): Promise<number> {
    let total = 0;
    for (let changed = await step(); changed > 0; changed = await step()) total += changed;
    return total;
  }

  async function inSteps<T>(
    items: readonly T[],
    step: (items: readonly T[]) => Promise<void>,
  ): Promise<void> {
    for (const chunk of chunksOf(items, rowsPerStep)) await step(chunk);
  }

  async function replay(where: Parameters<WebhookStore["replay"]>[0], now: number): Promise<number> {
    const again = {
      state: "pending",
      attempts: 0,
      queuedAt: now,
      nextAttemptAt: now,
      leasedUntil: 0,
      settledAt: null,
    } as const;
    if ("deadOf" in where) {
      return untilNothing(() => changeStep({ endpoint: where.deadOf, state: "dead" }, { $set: again }));
    }
    let total = 0;
    await inSteps([...new Set(where.ids)], async (ids) => {
      total += await changeStep({ _id: { $in: ids }, leasedUntil: { $lte: now } }, { $set: again });
    });
    return total;
  }

  async function positionsDueAfter(endpoint: string, time: number): Promise<number[]> {
    const later = await lanes
      .find({ endpoint, dueAt: { $gt: time } }, { projection: { position: 1 }, hint: "due_order", maxTimeMS })
      .toArray();
    return later.flatMap(({ position }) => (position === undefined ? [] : [position]));
  }

  async function bound(endpoint: string, { now, waitMs, leaseMs }: WebhookBounds): Promise<number> {
    const bounded = [
      {
        $set: {
          queuedAt: { $min: ["$queuedAt", now] },
          nextAttemptAt: { $min: ["$nextAttemptAt", now] },
          leasedUntil: { $min: ["$leasedUntil", now + leaseMs] },
        },
      },
    ];
    const pending = { endpoint, state: "pending" as const };
    let total = await untilNothing(() => changeStep({ ...pending, queuedAt: { $gt: now } }, bounded));
    const held = { ...pending, leasedUntil: { $gt: now + leaseMs } };
    total += await untilNothing(() => changeStep(held, bounded));
    const far = { nextAttemptAt: { $gt: now + waitMs } };
    await inSteps(await positionsDueAfter(endpoint, now + waitMs), async (step) => {
      total += await changeStep({ ...pending, ...far, position: { $in: [...step] } }, bounded);
    });
    return total;
  }

  return {
    bound: (endpoint, bounds) => database.call(() => bound(endpoint, bounds)),
    enqueue: (rows) => database.call(() => inSteps(rows, enqueueStep)),
    settle: (outcomes) => database.call(() => inSteps(outcomes, settleStep)),
    replay: (where, now) => database.call(() => replay(where, now)),
    hasten: (endpoint, now) =>
      database.call(async () => {
        const positions = await positionsDueAfter(endpoint, now);
        let total = 0;
        await inSteps(positions, async (step) => {
          total += await changeStep(
            {
              ...{ position: { $in: [...step] }, state: "pending" },
              ...{ nextAttemptAt: { $gt: now }, leasedUntil: { $lte: now } },
            },
            { $set: { nextAttemptAt: now } },
          );
        });
        return total;
      }),
    giveUp: (where, now, error) =>
      database.call(async () => {
        const free = { state: "pending" as const, leasedUntil: { $lte: now } };
        const dead = { state: "dead" as const, lastError: error, settledAt: now, leasedUntil: 0 };
        if ("endpoint" in where) {
          const { endpoint, queuedBefore } = where;
          return untilNothing(() =>
            changeStep({ endpoint, queuedAt: { $lt: queuedBefore }, ...free }, { $set: dead }),
          );
        }
        let total = 0;
        await inSteps([...new Set(where.ids)], async (ids) => {
          total += await changeStep({ _id: { $in: [...ids] }, ...free }, { $set: dead });
        });
        return total;
      }),
    remove: (ids) =>
      database.call(async () => {
        let removed = 0;
        for (const chunk of chunksOf(ids, rowsPerStep)) {
          const gone = await deliveries.deleteMany({ _id: { $in: [...chunk] }, state: { $ne: "pending" } });
          removed += gone.deletedCount;
        }
        return removed;
      }),
    prune: (state, settledBefore, limit) =>
      database.call(async () => {
        const filter = { state, settledAt: { $lt: settledBefore } };
        const old = await deliveries
          .find(filter, { projection: { _id: 1 }, maxTimeMS, hint: "settled" })
          .sort({ settledAt: 1 })
          .limit(limit)
          .toArray();
        const ids = old.map(({ _id }) => _id);
        return (await deliveries.deleteMany({ _id: { $in: ids }, ...filter })).deletedCount;
      }),
  };
}
