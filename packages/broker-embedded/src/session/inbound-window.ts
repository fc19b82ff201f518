/** A publish that the engine has not settled, or whose acknowledgement waits for an earlier one. */
export class PendingPublish {
  readonly packetId: number;
  /** Header of the answer; 0 for QoS 0, which gets none. */
  readonly answer: number;
  settled = false;
  next: PendingPublish | null = null;

  constructor(packetId: number, answer: number) {
    this.packetId = packetId;
    this.answer = answer;
  }
}

/**
 * Publishes in the order in which they came. Acknowledgements leave in that order too ([MQTT-4.6.0-2]), whatever the
 * order in which the engine settles.
 */
export class InboundWindow {
  readonly #acknowledge: (header: number, packetId: number) => void;
  #first: PendingPublish | null = null;
  #last: PendingPublish | null = null;
  #size = 0;

  constructor(acknowledge: (header: number, packetId: number) => void) {
    this.#acknowledge = acknowledge;
  }

  /** Publishes that hold a place: unsettled ones and those behind them. */
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

  /** Acknowledges, in order, what is settled with nothing unsettled before it. */
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
