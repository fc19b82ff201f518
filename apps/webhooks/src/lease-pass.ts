import type { Clock, Log } from "@chat21/engine";
import type { StoredWebhookDelivery, WebhookStore } from "@chat21/events";
import { ChatError } from "@chat21/protocol";
import type { EndpointGate } from "./endpoint-gate.ts";
import { retryLimits } from "./retry-policy.ts";

/**
 * Brings rows back from the future: the clock was set back since they were written, perhaps on another machine or
 * before this process began. So no row waits longer than its rules say.
 */
export function boundRows(
  store: Pick<WebhookStore, "bound">,
  endpoint: string,
  clock: Pick<Clock, "now">,
  leaseMs: number,
): Promise<number> {
  return store.bound(endpoint, { now: clock.now(), waitMs: retryLimits.longestDelayMs, leaseMs });
}

/** Options of {@link createLeasePass}. */
export interface LeasePassOptions {
  readonly store: Pick<WebhookStore, "bound" | "due" | "hasten" | "lease" | "list">;
  readonly gates: readonly EndpointGate[];
  readonly clock: Clock;
  readonly log: Log;
  /** Places for requests to all endpoints together. */
  readonly requests: number;
  /** How long a taken row stays ours. */
  readonly leaseMs: number;
  /** Begins the attempt; does not wait for it. It takes a place in the gate at once. */
  readonly begin: (gate: EndpointGate, row: StoredWebhookDelivery, leaseUntil: number) => void;
}

/**
 * Of so many places one goes to what became due last. Many rows that are due since long, and hang, would otherwise hold
 * up a new one until each of them had its turn.
 */
const placesPerNewest = 2;

/** Pauses between looks at the store, milliseconds. */
const pauses = {
  afterErrorMs: 1_000,
  /** Looking when rows are due costs more than taking them: many short requests share one look. */
  betweenLooksMs: 250,
} as const;

/** A wall clock that runs slower is no clock that was set back. */
const toleratedStepMs = 1_000;

/**
 * Makes a pass: it takes as many due rows of every endpoint as there is room for, and answers when to look again (ms;
 * `null` = when something happens). Those that are due for the longest time come first, but where more are due than can
 * be begun, every other place goes to what became due last. It takes only rows that can be begun at once, so a batch
 * never waits with its leases running, and memory holds only requests that are under way.
 */
export function createLeasePass(options: LeasePassOptions): () => Promise<number | null> {
  const { store, gates, clock, log } = options;
  let first = 0;
  /** How far the wall clock is ahead of the one that never jumps. */
  let leadBefore = clock.now() - clock.elapsed();
  let placesGiven = 0;
  let lookedAt = Number.NEGATIVE_INFINITY;

  /** One request is always allowed, so that many slow endpoints together cannot starve another. */
  const roomOf = (gate: EndpointGate): number => {
    const underWay = gates.reduce((sum, { underWay }) => sum + underWay, 0);
    const room = Math.max(options.requests - underWay, gate.underWay === 0 ? 1 : 0);
    return Math.min(room, gate.room(clock.elapsed()));
  };

  /** When an endpoint works again, all rows that wait for it become due at once. */
  const hastenRecovered = async (): Promise<void> => {
    for (const gate of gates) {
      if (!gate.recovered) continue;
      await store.hasten(gate.endpoint.url, clock.now());
      gate.noteHastened();
    }
  };

  /**
   * Rows hold times of the wall clock. When it was set back, they would wait as long as the step is: what waits becomes
   * due at once, which costs one early request for each conversation.
   */
  const noticeStep = async (): Promise<void> => {
    const lead = clock.now() - clock.elapsed();
    const backMs = leadBefore - lead;
    if (backMs >= toleratedStepMs) {
      log.warn({ backMs: Math.round(backMs) }, "the clock was set back: waiting webhooks are due at once");
      for (const { endpoint } of gates) {
        await boundRows(store, endpoint.url, clock, options.leaseMs);
        await store.hasten(endpoint.url, clock.now());
      }
    }
    leadBefore = lead;
  };

  const take = async (gate: EndpointGate, turn: "newest" | "oldest", limit: number): Promise<number> => {
    const now = clock.now();
    const leaseUntil = now + options.leaseMs;
    const rows = await store.lease({ endpoint: gate.endpoint.url, now, leaseUntil, limit, turn });
    for (const row of rows) options.begin(gate, row, leaseUntil);
    return rows.length;
  };

  const takeDue = async (): Promise<void> => {
    // Each pass begins with another endpoint: this shares the rest of the total fairly.
    first = (first + 1) % Math.max(1, gates.length);
    for (const gate of [...gates.slice(first), ...gates.slice(0, first)]) {
      const limit = roomOf(gate);
      if (limit === 0) continue;
      const share = (places: number) => Math.floor(places / placesPerNewest);
      const newest = share(placesGiven + limit) - share(placesGiven);
      const oldest = limit - newest;
      const taken = oldest === 0 ? 0 : await take(gate, "oldest", oldest);
      // With fewer due than there are places, all of them have begun.
      if (newest > 0 && taken === oldest) await take(gate, "newest", newest);
      placesGiven = (placesGiven + limit) % placesPerNewest;
    }
  };

  /** A full gate is looked at when a request ends, an unused one by the regular look. */
  const nextLook = async (): Promise<number | null> => {
    const dueAt = new Map((await store.due()).map((due) => [due.endpoint, due.dueAt]));
    const looks = gates.flatMap((gate) => {
      const at = dueAt.get(gate.endpoint.url);
      if (at === undefined || gate.goneId !== null) return [];
      const restMs = Math.max(0, gate.restUntil - clock.elapsed());
      return restMs > 0 || roomOf(gate) > 0 ? [Math.max(at, clock.now() + restMs)] : [];
    });
    return looks.length === 0 ? null : Math.min(...looks);
  };

  return async () => {
    try {
      await noticeStep();
      const waitedMs = clock.elapsed() - lookedAt;
      const looks = waitedMs >= pauses.betweenLooksMs;
      if (looks) for (const gate of gates) if (await isReplayed(store, gate)) gate.enable();
      await hastenRecovered();
      await takeDue();
      if (!looks) return clock.now() + pauses.betweenLooksMs - waitedMs;
      lookedAt = clock.elapsed();
      return await nextLook();
    } catch (thrown) {
      log.warn({ code: ChatError.fromUnknown(thrown).code }, "webhooks could not be read; tried again");
      return clock.now() + pauses.afterErrorMs;
    }
  };
}

/** Whether the delivery whose 410 ended the use of the endpoint was replayed, in any process. */
async function isReplayed(store: Pick<WebhookStore, "list">, { goneId }: EndpointGate): Promise<boolean> {
  if (goneId === null) return false;
  const [row] = await store.list({ id: goneId, limit: 1 });
  return row !== undefined && row.state !== "dead";
}
