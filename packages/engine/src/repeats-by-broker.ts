import type { Arrival, WriteItem } from "./pending-run.ts";
import type { EventRecord } from "./ports/records.ts";
import type { EventLog } from "./ports/store.ts";

const undispatchedPerConversation = 1_000;

/**
 * Knows again what a broker hands over twice although the sender gave it no idempotency key. What was acknowledged had
 * its mark cleared before, so that an event which still has one is the same message when sender and text are the same,
 * each counted once. In doubt a message is stored twice, never dropped.
 */
export class RepeatsByBroker {
  readonly #log: EventLog;
  /** Events that stand for a delivery, as long as that one is current. */
  readonly #matched = new Map<EventRecord["messageId"], Arrival>();

  constructor(log: EventLog) {
    this.#log = log;
  }

  /** Reads what the items of a batch may be repeats of, by conversation. */
  async candidates(batch: readonly WriteItem[]): Promise<ReadonlyMap<string, readonly EventRecord[]>> {
    const found = new Map<string, readonly EventRecord[]>();
    for (const { app, conversation, arrival } of batch) {
      const name = `${app}/${conversation}`;
      if (!arrival?.again || found.has(name)) continue;
      const of = { app, conversation };
      found.set(name, await this.#log.undispatched(undispatchedPerConversation, Number.MAX_SAFE_INTEGER, of));
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
      if (this.#matched.size <= undispatchedPerConversation && isCurrent()) return;
      this.#matched.delete(id);
    }
  }
}
