/** Seats in order of time, the oldest first. A change copies the order once; a look at it costs a binary search. */
export class SeatOrder {
  readonly #timeOf: (seat: number) => number;
  #seats = new Uint32Array(0);

  constructor(timeOf: (seat: number) => number) {
    this.#timeOf = timeOf;
  }

  get size(): number {
    return this.#seats.length;
  }

  at(index: number): number {
    return this.#seats[index] as number;
  }

  /** How many seats have a time before this one. */
  countBefore(time: number): number {
    return countBefore(this.#seats, time, this.#timeOf);
  }

  /** Takes out all seats that are marked, and puts some in, by their time now. Those that stay must have kept theirs. */
  move(marks: Uint8Array, added: number[]): void {
    const kept = this.#seats.filter((seat) => marks[seat] === 0);
    added.sort((a, b) => this.#timeOf(a) - this.#timeOf(b));
    this.#seats = new Uint32Array(kept.length + added.length);
    let from = 0;
    for (const [index, seat] of added.entries()) {
      const to = countBefore(kept, this.#timeOf(seat), this.#timeOf);
      this.#seats.set(kept.subarray(from, to), from + index);
      this.#seats[to + index] = seat;
      from = to;
    }
    this.#seats.set(kept.subarray(from), from + added.length);
  }
}

function countBefore(seats: Uint32Array, time: number, timeOf: (seat: number) => number): number {
  let low = 0;
  for (let high = seats.length; low < high; ) {
    const middle = (low + high) >> 1;
    if (timeOf(seats[middle] as number) < time) low = middle + 1;
    else high = middle;
  }
  return low;
}
