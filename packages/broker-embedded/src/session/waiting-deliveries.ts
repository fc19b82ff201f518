/**
 * Deliveries that wait until the client has acknowledged earlier ones, in order. It is for clients that take only a few
 * unacknowledged ones (Receive Maximum of version 5).
 */
export class WaitingDeliveries {
  #all: WaitingDelivery[] = [];
  #first = 0;
  #bytes = 0;

  get size(): number {
    return this.#all.length - this.#first;
  }

  /** Bytes of the waiting payloads. */
  get bytes(): number {
    return this.#bytes;
  }

  get next(): WaitingDelivery | undefined {
    return this.#all[this.#first];
  }

  add(delivery: WaitingDelivery): void {
    this.#all.push(delivery);
    this.#bytes += delivery.payload.length;
  }

  /** Removes the next one. */
  shift(): void {
    this.#bytes -= this.next?.payload.length ?? 0;
    this.#first++;
    if (this.#first < 64 || this.#first * 2 < this.#all.length) return;
    this.#all = this.#all.slice(this.#first);
    this.#first = 0;
  }
}

/** A delivery that waits. */
export interface WaitingDelivery {
  readonly topic: string;
  /** Shared with other connections. */
  readonly payload: Buffer;
  readonly qos: 0 | 1;
}
