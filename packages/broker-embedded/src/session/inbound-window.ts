import type { ChatError } from "@chat21/protocol";

/** Identifiers of QoS 2 that are held for a connection, at most. */
const maxUnreleased = 1_024;

/**
 * The unacknowledged publishes, in the order in which they came. They are acknowledged in this order
 * ([MQTT-4.6.0-2]), although the engine may settle them in another one.
 */
export class InboundWindow {
  readonly #acknowledge: (pending: PendingPublish) => void;
  #first: PendingPublish | null = null;
  #last: PendingPublish | null = null;
  #size = 0;
  #unacknowledged = 0;
  /** Identifiers of QoS 2 whose PUBREL has not come ([MQTT-4.3.3-2]). */
  #unreleased: Set<number> | null = null;
  /** Identifiers whose acknowledgement was sent after the client was last heard: it may have missed it. */
  #unconfirmed: Set<number> | null = null;

  constructor(acknowledge: (pending: PendingPublish) => void) {
    this.#acknowledge = acknowledge;
  }

  /** Number of unsettled publishes and settled ones behind them. */
  get size(): number {
    return this.#size;
  }

  /** Those of them that get an acknowledgement. */
  get unacknowledged(): number {
    return this.#unacknowledged;
  }

  /** The client was heard, so it had what was sent before. */
  confirm(): void {
    if (this.#unconfirmed !== null && this.#unconfirmed.size > 0) this.#unconfirmed.clear();
  }

  /** Identifiers of publishes whose acknowledgement the client may not have. */
  unconfirmed(): Set<number> {
    const ids = new Set(this.#unconfirmed);
    for (let pending = this.#first; pending !== null; pending = pending.next)
      if (pending.answer !== 0) ids.add(pending.packetId);
    return ids;
  }

  /** Whether a publish of QoS 2 with this identifier is a repeat. */
  holds(packetId: number): boolean {
    return this.#unreleased?.has(packetId) === true;
  }

  /** Holds an identifier of QoS 2 until {@link release}. A client that releases none does not fill the memory. */
  hold(packetId: number): void {
    this.#unreleased ??= new Set();
    this.#unreleased.add(packetId);
    const [oldest] = this.#unreleased;
    if (oldest !== undefined && this.#unreleased.size > maxUnreleased) this.#unreleased.delete(oldest);
  }

  /** Answers whether the identifier was held. */
  release(packetId: number): boolean {
    return this.#unreleased?.delete(packetId) === true;
  }

  add(packetId: number, answer: number): PendingPublish {
    const pending = new PendingPublish(packetId, answer);
    if (this.#last === null) this.#first = pending;
    else this.#last.next = pending;
    this.#last = pending;
    this.#size++;
    if (answer !== 0) this.#unacknowledged++;
    return pending;
  }

  /** Marks `pending` as settled. Then acknowledges, in order, all settled publishes up to the first unsettled one. */
  settle(pending: PendingPublish): void {
    pending.settled = true;
    let first = this.#first;
    while (first?.settled) {
      if (first.answer !== 0) {
        this.#acknowledge(first);
        this.#unacknowledged--;
        this.#unconfirmed ??= new Set();
        this.#unconfirmed.add(first.packetId);
      }
      first = first.next;
      this.#size--;
    }
    this.#first = first;
    if (first === null) this.#last = null;
  }
}

/** A publish that is not acknowledged: it is unsettled, or an earlier one is. */
export class PendingPublish {
  readonly packetId: number;
  /** Header of the answer. 0 for QoS 0, which gets no answer. */
  readonly answer: number;
  settled = false;
  /** The typed answer that the client got instead of what it wanted. */
  refusal: ChatError | null = null;
  next: PendingPublish | null = null;

  constructor(packetId: number, answer: number) {
    this.packetId = packetId;
    this.answer = answer;
  }

  refuse(error: ChatError): void {
    this.refusal = error;
  }
}
