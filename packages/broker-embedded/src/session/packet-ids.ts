/** The packet identifiers of unacknowledged QoS 1 deliveries. */
export class PacketIds {
  #max: number;
  #last = 0;
  #used: Set<number> | null = null;

  constructor(max: number) {
    this.#max = max;
  }

  /** From now on at most `max` are in use. */
  limit(max: number): void {
    this.#max = max;
  }

  /** Number of identifiers in use. */
  get used(): number {
    return this.#used?.size ?? 0;
  }

  get hasFree(): boolean {
    return this.used < this.#max;
  }

  /** Takes a free identifier. Returns 0 when `max` are in use. */
  take(): number {
    // Most existing clients subscribe with QoS 0 and never need the set.
    this.#used ??= new Set();
    if (this.#used.size >= this.#max) return 0;
    do {
      this.#last = this.#last === largestId ? 1 : this.#last + 1;
    } while (this.#used.has(this.#last));
    this.#used.add(this.#last);
    return this.#last;
  }

  /** Frees an acknowledged identifier. An unknown one is no error: a client may repeat itself ([MQTT-4.3.2-2]). */
  release(id: number): void {
    this.#used?.delete(id);
  }
}

const largestId = 65_535;
