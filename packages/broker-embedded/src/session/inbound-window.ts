/**
 * The unacknowledged publishes, in the order in which they came. They are acknowledged in this order
 * ([MQTT-4.6.0-2]), although the engine may settle them in another one.
 */
export class InboundWindow {
  readonly #acknowledge: (header: number, packetId: number) => void;
  #first: PendingPublish | null = null;
  #last: PendingPublish | null = null;
  #size = 0;

  constructor(acknowledge: (header: number, packetId: number) => void) {
    this.#acknowledge = acknowledge;
  }

  /** Number of unsettled publishes and settled ones behind them. */
  get size(): number {
    return this.#size;
  }

  add(packetId: number, answer: number): PendingPublish {
    const pending = new PendingPublish(packetId, answer);
    if (this.#last === null) this.#first = pending;
    else this.#last.next = pending;
    this.#last = pending;
    this.#size++;
    return pending;
  }

  /** Marks `pending` as settled. Then acknowledges, in order, all settled publishes up to the first unsettled one. */
  settle(pending: PendingPublish): void {
    pending.settled = true;
    let first = this.#first;
    while (first?.settled) {
      if (first.answer !== 0) this.#acknowledge(first.answer, first.packetId);
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
  next: PendingPublish | null = null;

  constructor(packetId: number, answer: number) {
    this.packetId = packetId;
    this.answer = answer;
  }
}
