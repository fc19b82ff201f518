/** Totals of the messages of a run. */
export interface LedgerTotals {
  readonly sent: number;
  /** Messages whose PUBACK came. */
  readonly acknowledged: number;
  /** Messages that every receiver has. */
  readonly delivered: number;
  /** Copies that never came. */
  readonly lost: number;
  /** Copies that came more than once. */
  readonly duplicated: number;
  /** Copies that came after a later one of the same sender. */
  readonly reordered: number;
}

/** Record of one sender's messages: which receiver has which, their order of arrival, and their latency. */
export class Ledger {
  readonly #receivers: number;
  #seen: Uint8Array[];
  #identities: Uint32Array[];
  #highest: Int32Array;
  #missing = new Uint16Array(1_024);
  #sentAtMs = new Float64Array(1_024);
  #sent = 0;
  #acknowledged = 0;
  #delivered = 0;
  #duplicated = 0;
  #reordered = 0;
  #renamed = 0;

  constructor(receivers: number) {
    this.#receivers = receivers;
    this.#seen = Array.from({ length: receivers }, () => new Uint8Array(1_024));
    this.#identities = Array.from({ length: receivers }, () => new Uint32Array(1_024));
    this.#highest = new Int32Array(receivers).fill(-1);
  }

  get sent(): number {
    return this.#sent;
  }

  /**
   * Copies that came again as another message, by the identity that {@link receive} was given. A client that drops
   * messages which it has already cannot recognise these copies.
   */
  get renamed(): number {
    return this.#renamed;
  }

  get outstanding(): number {
    return this.#sent - this.#delivered;
  }

  /** Whether every copy and every acknowledgement has come. */
  get isComplete(): boolean {
    return this.#delivered === this.#sent && this.#acknowledged === this.#sent;
  }

  /** Books a new message; returns its number, counted from 0. */
  send(nowMs: number): number {
    const number = this.#sent++;
    if (number >= this.#sentAtMs.length) this.#grow();
    this.#sentAtMs[number] = nowMs;
    this.#missing[number] = this.#receivers;
    return number;
  }

  acknowledge(): void {
    this.#acknowledged++;
  }

  /** Books a copy. Answers the latency in ms when it was the last missing copy of a message, otherwise -1. */
  receive(receiver: number, number: number, nowMs: number, identity = 0): number {
    const seen = this.#seen[receiver] as Uint8Array;
    const identities = this.#identities[receiver] as Uint32Array;
    if (number >= this.#sent) throw new Error(`message ${number} was received and never sent`);
    if (seen[number] === 1) {
      this.#duplicated++;
      if (identities[number] !== identity) this.#renamed++;
      return -1;
    }
    seen[number] = 1;
    identities[number] = identity;
    if (number < (this.#highest[receiver] as number)) this.#reordered++;
    else this.#highest[receiver] = number;
    const missing = (this.#missing[number] as number) - 1;
    this.#missing[number] = missing;
    if (missing > 0) return -1;
    this.#delivered++;
    return nowMs - (this.#sentAtMs[number] as number);
  }

  totals(): LedgerTotals {
    let lost = 0;
    for (let number = 0; number < this.#sent; number++) lost += this.#missing[number] as number;
    return {
      sent: this.#sent,
      acknowledged: this.#acknowledged,
      delivered: this.#delivered,
      lost,
      duplicated: this.#duplicated,
      reordered: this.#reordered,
    };
  }

  #grow(): void {
    const size = this.#sentAtMs.length * 2;
    const grow = <T extends Uint8Array | Uint16Array | Uint32Array | Float64Array>(old: T, grown: T): T => {
      grown.set(old);
      return grown;
    };
    this.#sentAtMs = grow(this.#sentAtMs, new Float64Array(size));
    this.#missing = grow(this.#missing, new Uint16Array(size));
    this.#seen = this.#seen.map((seen) => grow(seen, new Uint8Array(size)));
    this.#identities = this.#identities.map((identities) => grow(identities, new Uint32Array(size)));
  }
}

/** The sum over all senders. */
export function sumTotals(ledgers: readonly Ledger[]): LedgerTotals {
  const sum = { sent: 0, acknowledged: 0, delivered: 0, lost: 0, duplicated: 0, reordered: 0 };
  for (const ledger of ledgers) {
    for (const [name, value] of Object.entries(ledger.totals())) sum[name as keyof typeof sum] += value;
  }
  return sum;
}
