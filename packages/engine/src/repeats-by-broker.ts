import type { Arrival, WriteItem } from "./pending-run.ts";
import type { EventRecord } from "./ports/records.ts";
import type { RedeliveryLog } from "./ports/redelivery-log.ts";

const maxMatched = 1_000;

/**
 * Knows again what a broker hands over twice although the sender gave it no idempotency key: an event that was not
 * acknowledged is the same message when sender and text are the same, each counted once (ADR 0010). In doubt a message
 * is stored twice, never dropped.
 */
export class RepeatsByBroker {
  readonly #log: RedeliveryLog | undefined;
  /** Events that stand for a delivery, as long as that one is current. */
  readonly #matched = new Map<EventRecord["messageId"], Arrival>();

  constructor(log: RedeliveryLog | undefined) {
    this.#log = log;
  }

  /** Reads what the items of a batch may be repeats of, by conversation. */
  async candidates(batch: readonly WriteItem[]): Promise<ReadonlyMap<string, readonly EventRecord[]>> {
    const found = new Map<string, readonly EventRecord[]>();
    for (const { app, conversation, arrival } of batch) {
      const name = `${app}/${conversation}`;
      if (!arrival?.again || found.has(name) || this.#log === undefined) continue;
      found.set(name, await this.#log.unacknowledged(app, conversation));
    }
    return found;
  }

  /** The stored event that the item is a repeat of. */
  match(item: WriteItem, candidates: ReadonlyMap<string, readonly EventRecord[]>): EventRecord | undefined {
    const { arrival } = item;
    if (!arrival?.again) return undefined;
    const { sender, body } = arrival.again;
    const event = candidates
      .get(`${item.app}/${item.conversation}`)
      ?.find(
        (stored) =>
          stored.type === "message" &&
          stored.clientMessageId === null &&
          stored.sender === sender &&
          stored.body === body &&
          this.#matched.get(stored.messageId)?.isCurrent() !== true,
      );
    if (event !== undefined) this.#remember(event.messageId, arrival);
    return event;
  }

  #remember(messageId: string, arrival: Arrival): void {
    this.#matched.set(messageId, arrival);
    for (const [id, { isCurrent }] of this.#matched) {
      if (this.#matched.size <= maxMatched && isCurrent()) return;
      this.#matched.delete(id);
    }
  }
}
