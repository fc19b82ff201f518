const largestId = 65_535;

/** Identifiers of QoS 1 deliveries that are not acknowledged yet. */
export class PacketIds {
  readonly #max: number;
  #last = 0;
  #used: Set<number> | null = null;

  constructor(max: number) {
    this.#max = max;
  }

  /** One that is in no use, or 0 when `max` of them are. */
  take(): number {
    // Most sessions of the field subscribe with QoS 0 and never need the set.
    this.#used ??= new Set();
    if (this.#used.size >= this.#max) return 0;
    do {
      this.#last = this.#last === largestId ? 1 : this.#last + 1;
    } while (this.#used.has(this.#last));
    this.#used.add(this.#last);
    return this.#last;
  }

  /** The client has acknowledged; unknown ones are no error ([MQTT-4.3.2] lets a client repeat itself). */
  release(id: number): void {
    this.#used?.delete(id);
  }
}
