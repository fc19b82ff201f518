import type { Clock } from "@chat21/engine";
import { toOutsideId } from "@chat21/protocol";
import { normalizeEndpointUrl } from "./endpoint.ts";
import type { StoredWebhookDelivery, WebhookQuery, WebhookStore } from "./webhook-store.ts";

/** A delivery without its body, as in a list. */
export type DeliverySummary = Omit<StoredWebhookDelivery, "body">;

/** The deliveries to make again. */
export type ReplayRequest =
  | { readonly ids: readonly string[] }
  /** All dead letters of an endpoint. */
  | { readonly deadOf: string };

/** The outbox as people see it and act on it. Endpoints may be given in any spelling of the URL. */
export interface DeliveryLog {
  /** Newest first. */
  list(query: WebhookQuery): Promise<readonly DeliverySummary[]>;
  /** One delivery with its body; `null` when there is none (any more). */
  show(id: string): Promise<StoredWebhookDelivery | null>;
  /**
   * Makes deliveries pending again, with the same id and body and a fresh 72 h; delivered ones too. An endpoint that
   * answered 410 is used again: at once where the log has the worker. Workers of other processes use it within 5 s when
   * the delivery that was answered with 410 is among them. Returns how many.
   */
  replay(request: ReplayRequest): Promise<number>;
  /**
   * Makes pending deliveries dead letters, so that their conversations go on; they can be replayed. Those with a request
   * under way stay as they are. Returns how many.
   */
  skip(ids: readonly string[]): Promise<number>;
  /**
   * Removes deliveries of an app whose bodies name a user; pending ones are sent no more. Those with a request under way
   * stay until they are pruned. Reads the whole log. Returns how many.
   */
  forget(app: string, user: string): Promise<number>;
  /** Tries now what waits for an endpoint. Workers of other processes do it within 5 s. Returns how many. */
  retry(endpoint: string): Promise<number>;
}

/** Options of {@link createDeliveryLog}. */
export interface DeliveryLogOptions {
  readonly store: Pick<WebhookStore, "giveUp" | "hasten" | "list" | "remove" | "replay">;
  readonly clock: Pick<Clock, "now">;
  /** A worker of the same process, to be told of replays. @default none: it sees them within 5 s */
  readonly worker?: { enable(endpoint: string): void };
}

/** Rows of one read of the whole log. */
const rowsAtOnce = 200;

/** Makes a delivery log over a store. */
export function createDeliveryLog({ store, clock, worker }: DeliveryLogOptions): DeliveryLog {
  const find = async (id: string): Promise<StoredWebhookDelivery | null> => {
    const [row] = await store.list({ id, limit: 1 });
    return row ?? null;
  };

  return {
    async list({ endpoint, ...query }) {
      const rows = await store.list({
        ...query,
        ...(endpoint === undefined ? {} : { endpoint: normalizeEndpointUrl(endpoint) }),
      });
      return rows.map(({ body: _, ...summary }) => summary);
    },
    show: find,
    skip: (ids) => store.giveUp({ ids }, clock.now(), "skipped by an operator"),
    async forget(app, user) {
      // Bodies hold ids as they are outside; those of older versions as they are on the wire.
      const names = [user, toOutsideId(user)].map((id) => JSON.stringify(id));
      let removed = 0;
      for (let before = Number.MAX_SAFE_INTEGER; ; ) {
        const rows = await store.list({ before, limit: rowsAtOnce });
        const last = rows.at(-1);
        if (last === undefined) return removed;
        before = last.position;
        const named = rows.filter((row) => row.app === app && names.some((name) => row.body.includes(name)));
        const ids = named.map(({ id }) => id);
        if (ids.length === 0) continue;
        await store.giveUp({ ids }, clock.now(), "the person was erased");
        removed += await store.remove(ids);
      }
    },
    async retry(endpoint) {
      const url = normalizeEndpointUrl(endpoint);
      const hastened = await store.hasten(url, clock.now());
      worker?.enable(url);
      return hastened;
    },
    async replay(request) {
      if ("deadOf" in request) {
        const deadOf = normalizeEndpointUrl(request.deadOf);
        const replayed = await store.replay({ deadOf }, clock.now());
        worker?.enable(deadOf);
        return replayed;
      }
      const replayed = await store.replay({ ids: request.ids }, clock.now());
      const rows = await Promise.all(request.ids.map(find));
      for (const endpoint of new Set(rows.flatMap((row) => row?.endpoint ?? []))) worker?.enable(endpoint);
      return replayed;
    },
  };
}
