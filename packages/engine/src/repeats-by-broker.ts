import type { Arrival, WriteItem } from "./pending-run.ts";
import type { EventLog } from "./ports/event-log.ts";
import type { EventRecord } from "./ports/records.ts";
import type { RedeliveryLog } from "./ports/redelivery-log.ts";

const maxMatched = 1_000;

/** Stored events by conversation, for a batch. */
type Candidates = ReadonlyMap<string, readonly EventRecord[]>;

const nameOf = ({ app, conversation }: WriteItem) => `${app}/${conversation}`;

/**
 * Recognizes messages that a broker hands over twice although the sender gave no idempotency key (ADR 0010). A repeat
 * is an event of the same sender with the same text, each counted once. The event was not acknowledged, or it has the
 * same temporary id, which user interfaces give to each message. In doubt a message is stored twice, never dropped.
 */
export class RepeatsByBroker {
  readonly #redeliveries: RedeliveryLog | undefined;
  readonly #events: Pick<EventLog, "find">;
  /** Events that stand for a delivery, as long as that delivery is current. */
  readonly #matched = new Map<EventRecord["messageId"], Arrival>();

  constructor(redeliveries: RedeliveryLog | undefined, events: Pick<EventLog, "find">) {
    this.#redeliveries = redeliveries;
    this.#events = events;
  }

  /** Reads the events that items of a batch may repeat. */
  async candidates(batch: readonly WriteItem[]): Promise<Candidates> {
    const again = batch.filter(({ arrival }) => arrival?.again);
    const redeliveries = this.#redeliveries;
    if (again.length === 0 || redeliveries === undefined) return new Map();
    const conversations = new Map(again.map((item) => [nameOf(item), item]));
    const found = new Map<string, EventRecord[]>();
    await Promise.all([
      ...[...conversations].map(async ([name, { app, conversation }]) => {
        const waiting = await redeliveries.unacknowledged(app, conversation);
        found.set(name, [...waiting, ...(found.get(name) ?? [])]);
      }),
      ...again.map(async (item) => {
        const event = await this.#named(item);
        if (event !== null) found.set(nameOf(item), [...(found.get(nameOf(item)) ?? []), event]);
      }),
    ]);
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

  async #named({ app, conversation, arrival }: WriteItem): Promise<EventRecord | null> {
    const tempUid = arrival?.again?.tempUid ?? null;
    return tempUid === null ? null : this.#events.find(app, conversation, tempUid);
  }

  #remember(messageId: string, arrival: Arrival): void {
    this.#matched.set(messageId, arrival);
    for (const [id, { isCurrent }] of this.#matched) {
      if (this.#matched.size <= maxMatched && isCurrent()) return;
      this.#matched.delete(id);
    }
  }
}
