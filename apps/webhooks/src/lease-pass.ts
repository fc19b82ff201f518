import type { Clock, Log } from "@chat21/engine";
import type { StoredWebhookDelivery, WebhookStore } from "@chat21/events";
import { ChatError } from "@chat21/protocol";
import type { EndpointLane } from "./endpoint-lane.ts";

/** What a pass works on. */
export interface LeasePassOptions {
  readonly store: Pick<WebhookStore, "due" | "lease" | "list">;
  readonly lanes: readonly EndpointLane[];
  readonly clock: Clock;
  readonly log: Log;
  /** Requests under way to all endpoints together, at most. */
  readonly requests: number;
  /** How long a taken row stays ours. */
  readonly leaseMs: number;
  /** Begins the attempt; does not wait for it. The lane's `underWay` counts it from now on. */
  readonly begin: (lane: EndpointLane, row: StoredWebhookDelivery, leaseUntil: number) => void;
}

/** Pauses between looks at the store, milliseconds. */
const pauses = {
  afterErrorMs: 1_000,
  /** Looking when rows are due costs more than taking them: many short requests share one look. */
  betweenLooksMs: 250,
} as const;

/**
 * Makes a pass: takes as many due rows of every endpoint as there is room for, and answers when to look again
 * (ms; `null` = when something happens). Never takes what cannot be begun at once, so a batch never waits with its
 * leases running, and memory holds only requests that are under way.
 */
export function createLeasePass(options: LeasePassOptions): () => Promise<number | null> {
  const { store, lanes, clock, log } = options;
  let first = 0;
  let lookedAt = Number.NEGATIVE_INFINITY;

  /** One request is always allowed, so that many slow endpoints together cannot starve another. */
  const roomOf = (lane: EndpointLane): number => {
    const underWay = lanes.reduce((sum, { underWay }) => sum + underWay, 0);
    const room = Math.max(options.requests - underWay, lane.underWay === 0 ? 1 : 0);
    return Math.min(room, lane.room(clock.now()));
  };

  const takeDue = async (): Promise<void> => {
    // Each pass begins with another endpoint: what is left of the total is shared fairly.
    first = (first + 1) % Math.max(1, lanes.length);
    for (const lane of [...lanes.slice(first), ...lanes.slice(0, first)]) {
      const limit = roomOf(lane);
      if (limit === 0) continue;
      const now = clock.now();
      const leaseUntil = now + options.leaseMs;
      const rows = await store.lease({ endpoint: lane.endpoint.url, now, leaseUntil, limit });
      for (const row of rows) options.begin(lane, row, leaseUntil);
    }
  };

  /** A full lane is looked at when a request ends, an unused one by the regular look. */
  const nextLook = async (): Promise<number | null> => {
    const dueAt = new Map((await store.due()).map((due) => [due.endpoint, due.dueAt]));
    const looks = lanes.flatMap((lane) => {
      const at = dueAt.get(lane.endpoint.url);
      if (at === undefined || lane.goneId !== null) return [];
      const resting = lane.restUntil > clock.now();
      return resting || roomOf(lane) > 0 ? [Math.max(at, lane.restUntil)] : [];
    });
    return looks.length === 0 ? null : Math.min(...looks);
  };

  return async () => {
    try {
      const looks = clock.now() - lookedAt >= pauses.betweenLooksMs;
      if (looks) for (const lane of lanes) if (await isReplayed(store, lane)) lane.enable();
      await takeDue();
      if (!looks) return lookedAt + pauses.betweenLooksMs;
      lookedAt = clock.now();
      return await nextLook();
    } catch (thrown) {
      log.warn({ code: ChatError.fromUnknown(thrown).code }, "webhooks could not be read; tried again");
      return clock.now() + pauses.afterErrorMs;
    }
  };
}

/** Whether somebody (in whatever process) replayed the delivery whose 410 ended the use of the endpoint. */
async function isReplayed(store: Pick<WebhookStore, "list">, { goneId }: EndpointLane): Promise<boolean> {
  if (goneId === null) return false;
  const [row] = await store.list({ id: goneId, limit: 1 });
  return row !== undefined && row.state !== "dead";
}
