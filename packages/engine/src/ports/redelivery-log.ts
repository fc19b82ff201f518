import type { EventRecord, EventRef } from "./records.ts";

/**
 * What processes that share a store know of each other's events while a broker hands over what one of them did not
 * acknowledge (ADR 0010).
 */
export interface RedeliveryLog {
  /**
   * Takes events out of `undispatched` whose message was not acknowledged to the broker, or perhaps not: for another
   * minute (60,000 ms of the store's clock, or longer) they are still among {@link unacknowledged}. Durable, idempotent.
   */
  markRedispatched(refs: readonly EventRef[]): Promise<void>;
  /**
   * Brings events back to {@link unacknowledged}, for another minute, also those whose mark was cleared already: whoever
   * cleared it was to acknowledge their messages, and cannot any more. Never to be called for what may have been
   * acknowledged. Durable, idempotent.
   */
  markUnacknowledged(refs: readonly EventRef[]): Promise<void>;
  /**
   * Events of one conversation that are undispatched, or were marked as redispatched or unacknowledged a minute ago at
   * most: their messages may come again. Ascending by `seq`, at most 1,000.
   */
  unacknowledged(app: string, conversation: string): Promise<readonly EventRecord[]>;
}
