import type { Clock, Log } from "@chat21/engine";
import type { StoredWebhookDelivery, WebhookStore } from "@chat21/events";
import { ChatError } from "@chat21/protocol";
import type { EndpointGate } from "./endpoint-gate.ts";

/** Options of {@link createLeasePass}. */
export interface LeasePassOptions {
  readonly store: Pick<WebhookStore, "due" | "hasten" | "lease" | "list">;
  readonly gates: readonly EndpointGate[];
  readonly clock: Clock;
  readonly log: Log;
  /** Requests under way to all endpoints together, at most. */
  readonly requests: number;
  /** How long a taken row stays ours. */
  readonly leaseMs: number;
  /** Begins the attempt; does not wait for it. The gate's `underWay` counts it from now on. */
  readonly begin: (gate: EndpointGate, row: StoredWebhookDelivery, leaseUntil: number) => void;
}

/** Pauses between looks at the store, milliseconds. */
const pauses = {
  afterErrorMs: 1_000,
  /** Looking when rows are due costs more than taking them: many short requests share one look. */
  betweenLooksMs: 250,
} as const;

/**
 * Makes a pass: it takes as many due rows of every endpoint as there is room for, and answers when to look again (ms;
 * `null` = when something happens). It takes only rows that can be begun at once, so a batch never waits with its
 * leases running, and memory holds only requests that are under way.
 */
export function createLeasePass(options: LeasePassOptions): () => Promise<number | null> {
  const { store, gates, clock, log } = options;
  let first = 0;
  let lookedAt = Number.NEGATIVE_INFINITY;

  /** One request is always allowed, so that many slow endpoints together cannot starve another. */
  const roomOf = (gate: EndpointGate): number => {
    const underWay = gates.reduce((sum, { underWay }) => sum + underWay, 0);
    const room = Math.max(options.requests - underWay, gate.underWay === 0 ? 1 : 0);
    return Math.min(room, gate.room(clock.now()));
  };

  /** When an endpoint works again, all rows that wait for it become due at once. */
  const hastenRecovered = async (): Promise<void> => {
    for (const gate of gates) {
      if (!gate.recovered) continue;
      await store.hasten(gate.endpoint.url, clock.now());
      gate.noteHastened();
    }
  };

  const takeDue = async (): Promise<void> => {
    // Each pass begins with another endpoint: this shares the rest of the total fairly.
    first = (first + 1) % Math.max(1, gates.length);
    for (const gate of [...gates.slice(first), ...gates.slice(0, first)]) {
      const limit = roomOf(gate);
      if (limit === 0) continue;
      const now = clock.now();
      const leaseUntil = now + options.leaseMs;
      const rows = await store.lease({ endpoint: gate.endpoint.url, now, leaseUntil, limit });
      for (const row of rows) options.begin(gate, row, leaseUntil);
    }
  };

  /** A full gate is looked at when a request ends, an unused one by the regular look. */
  const nextLook = async (): Promise<number | null> => {
    const dueAt = new Map((await store.due()).map((due) => [due.endpoint, due.dueAt]));
    const looks = gates.flatMap((gate) => {
      const at = dueAt.get(gate.endpoint.url);
      if (at === undefined || gate.goneId !== null) return [];
      const resting = gate.restUntil > clock.now();
      return resting || roomOf(gate) > 0 ? [Math.max(at, gate.restUntil)] : [];
    });
    return looks.length === 0 ? null : Math.min(...looks);
  };

  return async () => {
    try {
      const looks = clock.now() - lookedAt >= pauses.betweenLooksMs;
      if (looks) for (const gate of gates) if (await isReplayed(store, gate)) gate.enable();
      await hastenRecovered();
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

/** Whether the delivery whose 410 ended the use of the endpoint was replayed, in any process. */
async function isReplayed(store: Pick<WebhookStore, "list">, { goneId }: EndpointGate): Promise<boolean> {
  if (goneId === null) return false;
  const [row] = await store.list({ id: goneId, limit: 1 });
  return row !== undefined && row.state !== "dead";
}
