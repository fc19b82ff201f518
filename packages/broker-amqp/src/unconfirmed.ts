/** Position of something in {@link Unconfirmed}. */
interface Slot<T> {
  readonly item: T;
  isConfirmed: boolean;
}

/** From how many settled slots on the memory is given back. */
const compactFrom = 1_024;

/**
 * Items that wait for a broker's confirms, in order: first those that were sent on the present channel, then the
 * others. The broker counts publishes of a channel from 1, and so does this class.
 */
export class Unconfirmed<T> {
  #slots: Slot<T>[] = [];
  /** Index of the first slot that is not settled. */
  #head = 0;
  /** Index of the first slot that is not sent. */
  #next = 0;
  /** Delivery tag of the slot at {@link #head}. */
  #headTag = 1;
  #waiting = 0;

  /** How many are not confirmed. */
  get size(): number {
    return this.#waiting;
  }

  add(item: T): void {
    this.#slots.push({ item, isConfirmed: false });
    this.#waiting += 1;
  }

  /** The next one to send, in order. It counts as sent. */
  send(): T | undefined {
    return this.#slots[this.#next++]?.item ?? this.#nothingToSend();
  }

  /** The item that {@link send} took last was not sent after all: it gets no tag, and is forgotten. */
  drop(): void {
    this.#next -= 1;
    this.#slots.splice(this.#next, 1);
    this.#waiting -= 1;
  }

  /** The item that {@link send} took last was not sent after all: it is the next one to send. */
  putBack(): void {
    this.#next -= 1;
  }

  /** Takes out the items that the broker's answer covers, in order. Unknown tags are ignored. */
  settle(tag: number, multiple: boolean): readonly T[] {
    const last = this.#head + (tag - this.#headTag);
    const settled: T[] = [];
    for (let index = multiple ? this.#head : last; index <= last && index < this.#next; index += 1) {
      const slot = this.#slots[index];
      if (slot === undefined || slot.isConfirmed || index < this.#head) continue;
      slot.isConfirmed = true;
      settled.push(slot.item);
    }
    this.#waiting -= settled.length;
    this.#advance();
    return settled;
  }

  /** The channel is gone: nothing counts as sent any more. */
  rewind(): void {
    this.#slots = this.#slots.slice(this.#head).filter(({ isConfirmed }) => !isConfirmed);
    this.#head = 0;
    this.#next = 0;
    this.#headTag = 1;
  }

  /** Takes everything out. */
  clear(): readonly T[] {
    this.rewind();
    const items = this.#slots.map(({ item }) => item);
    this.#slots = [];
    this.#waiting = 0;
    return items;
  }

  #nothingToSend(): undefined {
    this.#next -= 1;
    return undefined;
  }

  #advance(): void {
    while (this.#head < this.#next && this.#slots[this.#head]?.isConfirmed === true) {
      this.#head += 1;
      this.#headTag += 1;
    }
    if (this.#head < compactFrom || this.#head * 2 < this.#slots.length) return;
    this.#slots.splice(0, this.#head);
    this.#next -= this.#head;
    this.#head = 0;
  }
}
