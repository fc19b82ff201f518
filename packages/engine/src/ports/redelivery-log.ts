import type { EventRecord, EventRef } from "./records.ts";

/**
 * Knowledge about each other's events for processes that share a store, while a broker redelivers messages that one of
 * them did not acknowledge (ADR 0010).
 */
export interface RedeliveryLog {
  /**
   * Takes events out of `undispatched` whose messages may not have been acknowledged to the broker: for another minute
   * (60,000 ms of the store's clock, or longer) they are still among {@link unacknowledged}. Durable, idempotent.
   */
  markRedispatched(refs: readonly EventRef[]): Promise<void>;
  /**
   * Brings events back to {@link unacknowledged}, for another minute, also those whose mark was cleared already: the
   * process that cleared it was to acknowledge their messages, and cannot any more. Must not be called for messages
   * that may have been acknowledged. Durable, idempotent.
   */
  markUnacknowledged(refs: readonly EventRef[]): Promise<void>;
  /**
   * Events of one conversation that are undispatched, or were marked as redispatched or unacknowledged a minute ago at
   * most: their messages may come again. Ascending by `seq`, at most 1,000.
   */
  unacknowledged(app: string, conversation: string): Promise<readonly EventRecord[]>;
}
