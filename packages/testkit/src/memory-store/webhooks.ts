import type {
  StoredWebhookDelivery,
  WebhookBounds,
  WebhookDelivery,
  WebhookLease,
  WebhookOutcome,
  WebhookQuery,
  WebhookStore,
} from "@chat21/events";
import { type DiskDelivery, keyOf, type MemoryDisk } from "./disk.ts";
import type { Gated } from "./gate.ts";

function enqueueDelivery(disk: MemoryDisk, delivery: WebhookDelivery): void {
  if (disk.deliveries.has(delivery.id)) return;
  const { id, endpoint, app, orderKey, event, body, createdAt } = delivery;
  disk.lastWebhookPosition += 1;
  const row: StoredWebhookDelivery = {
    ...{ id, endpoint, app, orderKey, event, body, createdAt },
    position: disk.lastWebhookPosition,
    state: "pending",
    queuedAt: createdAt,
    attempts: 0,
    nextAttemptAt: createdAt,
    lastStatus: null,
    lastError: null,
    settledAt: null,
  };
  disk.deliveries.set(id, { row, leasedUntil: 0 });
}

/** Insertion order is the order of positions. */
function frontsOf(disk: MemoryDisk): DiskDelivery[] {
  const fronts = new Map<string, DiskDelivery>();
  for (const delivery of disk.deliveries.values()) {
    const lane = keyOf(delivery.row.endpoint, delivery.row.orderKey);
    if (delivery.row.state === "pending" && !fronts.has(lane)) fronts.set(lane, delivery);
  }
  return [...fronts.values()].sort((a, b) => a.row.position - b.row.position);
}

function dueAtOf({ row, leasedUntil }: DiskDelivery): number {
  return Math.max(row.nextAttemptAt, leasedUntil);
}

function leaseDue(disk: MemoryDisk, { endpoint, now, leaseUntil, limit, turn = "oldest" }: WebhookLease) {
  const due = frontsOf(disk).filter((front) => front.row.endpoint === endpoint && dueAtOf(front) <= now);
  due.sort((a, b) => dueAtOf(a) - dueAtOf(b));
  if (turn === "newest") due.reverse();
  return due.slice(0, limit).map((front) => {
    front.leasedUntil = leaseUntil;
    return front.row;
  });
}

function settleDelivery(disk: MemoryDisk, outcome: WebhookOutcome): void {
  const delivery = disk.deliveries.get(outcome.id);
  if (delivery?.row.state !== "pending" || delivery.leasedUntil !== outcome.leaseUntil) return;
  const { state, at, status, error } = outcome;
  delivery.leasedUntil = 0;
  delivery.row = {
    ...delivery.row,
    state,
    attempts: delivery.row.attempts + 1,
    nextAttemptAt: state === "pending" ? outcome.nextAttemptAt : delivery.row.nextAttemptAt,
    lastStatus: status,
    lastError: error,
    settledAt: state === "pending" ? null : at,
  };
}

function dueByEndpoint(disk: MemoryDisk) {
  const dues = new Map<string, number>();
  for (const front of frontsOf(disk)) {
    const { endpoint } = front.row;
    dues.set(endpoint, Math.min(dues.get(endpoint) ?? Number.POSITIVE_INFINITY, dueAtOf(front)));
  }
  return [...dues].map(([endpoint, dueAt]) => ({ endpoint, dueAt }));
}

function matches(row: StoredWebhookDelivery, query: WebhookQuery): boolean {
  return (
    (query.id === undefined || row.id === query.id) &&
    (query.endpoint === undefined || row.endpoint === query.endpoint) &&
    (query.state === undefined || row.state === query.state) &&
    (query.event === undefined || row.event === query.event) &&
    (query.before === undefined || row.position < query.before)
  );
}

function replayDeliveries(
  disk: MemoryDisk,
  where: Parameters<WebhookStore["replay"]>[0],
  now: number,
): number {
  const chosen = [...disk.deliveries.values()].filter(
    ({ row, leasedUntil }) =>
      leasedUntil <= now &&
      ("ids" in where ? where.ids.includes(row.id) : row.state === "dead" && row.endpoint === where.deadOf),
  );
  for (const delivery of chosen) {
    const again = {
      state: "pending",
      attempts: 0,
      queuedAt: now,
      nextAttemptAt: now,
      settledAt: null,
    } as const;
    delivery.row = { ...delivery.row, ...again };
    delivery.leasedUntil = 0;
  }
  return chosen.length;
}

function hastenFronts(disk: MemoryDisk, endpoint: string, now: number): number {
  const early = frontsOf(disk).filter(
    ({ row, leasedUntil }) => row.endpoint === endpoint && row.nextAttemptAt > now && leasedUntil <= now,
  );
  for (const front of early) front.row = { ...front.row, nextAttemptAt: now };
  return early.length;
}

function boundDeliveries(
  disk: MemoryDisk,
  endpoint: string,
  { now, waitMs, leaseMs }: WebhookBounds,
): number {
  const fronts = new Set(frontsOf(disk));
  const ahead = [...disk.deliveries.values()].filter((delivery) => {
    const { row, leasedUntil } = delivery;
    if (row.endpoint !== endpoint || row.state !== "pending") return false;
    const isFarFront = fronts.has(delivery) && row.nextAttemptAt > now + waitMs;
    return row.queuedAt > now || isFarFront || leasedUntil > now + leaseMs;
  });
  for (const delivery of ahead) {
    const { row, leasedUntil } = delivery;
    delivery.row = {
      ...row,
      queuedAt: Math.min(row.queuedAt, now),
      nextAttemptAt: Math.min(row.nextAttemptAt, now),
    };
    delivery.leasedUntil = Math.min(leasedUntil, now + leaseMs);
  }
  return ahead.length;
}

function giveUpDeliveries(
  disk: MemoryDisk,
  where: Parameters<WebhookStore["giveUp"]>[0],
  now: number,
  error: string,
) {
  const hopeless = [...disk.deliveries.values()].filter(
    ({ row, leasedUntil }) =>
      row.state === "pending" &&
      leasedUntil <= now &&
      ("ids" in where
        ? where.ids.includes(row.id)
        : row.endpoint === where.endpoint && row.queuedAt < where.queuedBefore),
  );
  for (const delivery of hopeless) {
    delivery.row = { ...delivery.row, state: "dead", lastError: error, settledAt: now };
    delivery.leasedUntil = 0;
  }
  return hopeless.length;
}

function pruneSettled(
  disk: MemoryDisk,
  state: "delivered" | "dead",
  settledBefore: number,
  limit: number,
): number {
  const old = [...disk.deliveries.values()]
    .filter(({ row }) => row.state === state && row.settledAt !== null && row.settledAt < settledBefore)
    .sort((a, b) => (a.row.settledAt ?? 0) - (b.row.settledAt ?? 0))
    .slice(0, limit);
  for (const { row } of old) disk.deliveries.delete(row.id);
  return old.length;
}

/** The webhooks' outbox. */
export function createMemoryWebhooks(disk: MemoryDisk, { write, read }: Gated): WebhookStore {
  return {
    enqueue: (deliveries) =>
      write("webhooks.enqueue", () => {
        for (const delivery of deliveries) enqueueDelivery(disk, delivery);
      }),
    lease: (lease) => write("webhooks.lease", () => leaseDue(disk, lease)),
    settle: (outcomes) =>
      write("webhooks.settle", () => {
        for (const outcome of outcomes) settleDelivery(disk, outcome);
      }),
    due: () => read("webhooks.due", () => dueByEndpoint(disk)),
    list: (query) =>
      read("webhooks.list", () =>
        [...disk.deliveries.values()]
          .map(({ row }) => row)
          .reverse()
          .filter((row) => matches(row, query))
          .slice(0, query.limit),
      ),
    replay: (where, now) => write("webhooks.replay", () => replayDeliveries(disk, where, now)),
    hasten: (endpoint, now) => write("webhooks.hasten", () => hastenFronts(disk, endpoint, now)),
    bound: (endpoint, bounds) => write("webhooks.bound", () => boundDeliveries(disk, endpoint, bounds)),
    giveUp: (where, now, error) => write("webhooks.giveUp", () => giveUpDeliveries(disk, where, now, error)),
    remove: (ids) =>
      write("webhooks.remove", () => {
        const settled = ids.filter((id) => (disk.deliveries.get(id)?.row.state ?? "pending") !== "pending");
        return settled.filter((id) => disk.deliveries.delete(id)).length;
      }),
    prune: (state, settledBefore, limit) =>
      write("webhooks.prune", () => pruneSettled(disk, state, settledBefore, limit)),
  };
}
