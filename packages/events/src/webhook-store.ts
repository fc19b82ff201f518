/** One webhook request to make, and its progress. */
export interface WebhookDelivery {
  /** Stable `webhook-id`; enqueueing the same id again is a no-op. */
  readonly id: string;
  readonly endpoint: string;
  readonly app: string;
  /** Requests of one (endpoint, orderKey) are made one after the other, in order of `position`. */
  readonly orderKey: string;
  readonly event: string;
  /** Exact bytes of the request, as JSON text. */
  readonly body: string;
  readonly createdAt: number;
}

/** A delivery as the store keeps it. */
export interface StoredWebhookDelivery extends WebhookDelivery {
  /** Order of arrival. */
  readonly position: number;
  readonly state: "pending" | "delivered" | "dead";
  /** Milliseconds: enqueued, or last replayed. The time that is allowed for attempts counts from here. */
  readonly queuedAt: number;
  /** Since `queuedAt`. */
  readonly attempts: number;
  readonly nextAttemptAt: number;
  /** HTTP status of the last attempt; `null` when there was no answer. */
  readonly lastStatus: number | null;
  readonly lastError: string | null;
  readonly settledAt: number | null;
}

/** The rows to take. */
export interface WebhookLease {
  readonly endpoint: string;
  readonly now: number;
  /** Milliseconds; rows that are not settled by then are due again. */
  readonly leaseUntil: number;
  readonly limit: number;
  /**
   * Whose turn it is: `oldest` is the one that has been due for the longest time, and of several with the same time
   * that with the lowest `position`. `newest` is the other end of that order. @default oldest
   */
  readonly turn?: "oldest" | "newest";
}

/** The outcome of one attempt. */
export interface WebhookOutcome {
  readonly id: string;
  /** The `leaseUntil` under which the attempt was made. */
  readonly leaseUntil: number;
  readonly state: "pending" | "delivered" | "dead";
  /** When to try again (state `pending`), milliseconds. */
  readonly nextAttemptAt: number;
  readonly status: number | null;
  readonly error: string | null;
  readonly at: number;
}

/** The longest times that the rules of attempts allow, from `now`. */
export interface WebhookBounds {
  readonly now: number;
  /** Milliseconds until the next attempt, after a failed one. */
  readonly waitMs: number;
  /** Milliseconds of a lease. */
  readonly leaseMs: number;
}

/** Filter of the deliveries to show. All given fields must match. */
export interface WebhookQuery {
  readonly id?: string;
  readonly endpoint?: string;
  readonly state?: StoredWebhookDelivery["state"];
  readonly event?: string;
  /** Exclusive upper bound of `position`. */
  readonly before?: number;
  readonly limit: number;
}

/**
 * The webhooks' outbox: leased rows, so that a crash repeats and never loses. Several processes may lease from it at
 * the same time. A *lane* is one (endpoint, orderKey); its *front* is its pending row with the lowest `position`. Only
 * fronts are handed out, so a front that waits for its next attempt, or is leased, holds back all rows behind it.
 * Errors and promises are those of the engine's `Store`.
 */
export interface WebhookStore {
  /** Adds rows, in order; rows whose ids exist are left as they are. `queuedAt` is `createdAt` at first. */
  enqueue(deliveries: readonly WebhookDelivery[]): Promise<void>;
  /**
   * Calls `listener` after any process has added rows: best effort, once or several times. Returns the function that
   * stops it. @default one process writes, and knows of its rows by itself
   */
  onEnqueued?(listener: () => void): () => void;
  /** Takes up to `limit` fronts of one endpoint that are due and not leased at `now`, in the order of `turn`. */
  lease(lease: WebhookLease): Promise<readonly StoredWebhookDelivery[]>;
  /**
   * Writes outcomes, counts one attempt each and ends the leases. An outcome has no effect when another worker has the
   * lease meanwhile, or when the row is not pending any more.
   */
  settle(outcomes: readonly WebhookOutcome[]): Promise<void>;
  /**
   * Every endpoint with pending rows, and when its next front is due: the smallest, over its fronts, of the larger of
   * `nextAttemptAt` and the end of the lease (0 when not leased). Rows behind a front do not count.
   */
  due(): Promise<readonly { readonly endpoint: string; readonly dueAt: number }[]>;
  /**
   * Makes the fronts of an endpoint due at `now` that would be due later; those that are leased at `now` stay as they
   * are. Attempts and the time that is allowed for them go on. Returns how many.
   */
  hasten(endpoint: string, now: number): Promise<number>;
  /**
   * Brings pending rows of an endpoint back from the future, after a clock was set back: those that were queued after
   * `now`, fronts that are due later than in `waitMs`, and leases of more than `leaseMs`. The rows are queued and due at
   * `now` at the latest, and their leases end within `leaseMs`. An outcome under a shortened lease has no effect. Returns how many rows changed.
   */
  bound(endpoint: string, bounds: WebhookBounds): Promise<number>;
  /** Newest first. */
  list(query: WebhookQuery): Promise<readonly StoredWebhookDelivery[]>;
  /**
   * Makes rows pending again, due at `now`, with no attempts and `queuedAt` = `now`: by id, whatever their state, or
   * all dead ones of an endpoint. Rows that are leased at `now` stay as they are. Returns how many.
   */
  replay(
    where: { readonly ids: readonly string[] } | { readonly deadOf: string },
    now: number,
  ): Promise<number>;
  /**
   * Makes pending rows dead that are not leased at `now`, with `error` as `lastError`, without counting an attempt: by
   * id, or those of an endpoint that were queued before a time (ms). Returns how many.
   */
  giveUp(
    where: { readonly ids: readonly string[] } | { readonly endpoint: string; readonly queuedBefore: number },
    now: number,
    error: string,
  ): Promise<number>;
  /** Removes rows by id that are not pending. Returns how many. */
  remove(ids: readonly string[]): Promise<number>;
  /** Removes at most `limit` rows of that state that were settled before `settledBefore` (ms). Returns how many. */
  prune(state: "delivered" | "dead", settledBefore: number, limit: number): Promise<number>;
}
