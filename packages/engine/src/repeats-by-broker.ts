import type { Arrival, WriteItem } from "./pending-run.ts";
import type { EventRecord } from "./ports/records.ts";
import type { RedeliveryLog } from "./ports/redelivery-log.ts";

const maxMatched = 1_000;

/** Stored events by conversation, for a batch. */
type Candidates = ReadonlyMap<string, readonly EventRecord[]>;

const nameOf = ({ app, conversation }: WriteItem) => `${app}/${conversation}`;

/**
 * Recognizes messages that a broker hands over twice although they have no idempotency key, and none can be made of
 * them (ADR 0010). A repeat is an event of the same sender with the same text that was not acknowledged, each counted
 * once. In doubt a message is stored twice, never dropped.
 */
export class RepeatsByBroker {
  readonly #redeliveries: RedeliveryLog | undefined;
  /** Events that stand for a delivery, as long as that delivery is current. */
  readonly #matched = new Map<EventRecord["messageId"], Arrival>();

  constructor(redeliveries: RedeliveryLog | undefined) {
    this.#redeliveries = redeliveries;
  }

  /** Reads the events that items of a batch may repeat. */
  async candidates(batch: readonly WriteItem[]): Promise<Candidates> {
    const again = batch.filter(({ arrival }) => arrival?.again);
    const redeliveries = this.#redeliveries;
    if (again.length === 0 || redeliveries === undefined) return new Map();
    const conversations = new Map(again.map((item) => [nameOf(item), item]));
    const found = new Map<string, readonly EventRecord[]>();
    await Promise.all(
      [...conversations].map(async ([name, { app, conversation }]) => {
        found.set(name, await redeliveries.unacknowledged(app, conversation));
      }),
    );
    return found;
  }

  /** The stored event that the item repeats. */
  match(item: WriteItem, candidates: Candidates): EventRecord | undefined {
    const { arrival } = item;
    if (!arrival?.again) return undefined;
    const { sender, body } = arrival.again;
    const event = candidates
      .get(nameOf(item))
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
