/**
 * Fields of one seat, all numbers, by their place. Places are given as numbers: a field that is found by its name costs
 * several times as much, and a list reads some of 50,000 seats.
 */
export const seatField = {
  conversation: 0,
  /** Archived at this number, or -1. */
  archivedAt: 1,
  clearedAt: 2,
  /** Number of the last change of the row. */
  changed: 3,
  /** 0: a member now. Else the log position of the last event that the former member sees, or -1: not looked up. */
  endedAt: 4,
  /** Log position of the conversation's last event when the next two were looked up; 0: they were not. */
  asOf: 5,
  /** Number and timestamp of the last event that a list shows; 0: none. */
  lastSeq: 6,
  lastTimestamp: 7,
} as const;
type SeatField = (typeof seatField)[keyof typeof seatField];
const fieldsPerSeat = 8;

/**
 * The seats of one account: its conversations and what decides their places in lists, in one flat array, ascending by
 * conversation. 64 bytes a seat.
 */
export class SeatTable {
  #fields = new Float64Array(8 * fieldsPerSeat);
  #size = 0;
  /** The change up to which the seats were read. */
  upTo = 0;

  get size(): number {
    return this.#size;
  }

  get(seat: number, field: SeatField): number {
    return this.#fields[seat * fieldsPerSeat + field] as number;
  }

  set(seat: number, field: SeatField, value: number): void {
    this.#fields[seat * fieldsPerSeat + field] = value;
  }

  /** The seat in a conversation, made when there is none. */
  seatIn(conversation: number): number {
    let low = 0;
    // Conversations come in ascending order nearly always.
    if (this.#size > 0 && this.get(this.#size - 1, seatField.conversation) < conversation) low = this.#size;
    for (let high = this.#size; low < high; ) {
      const middle = (low + high) >> 1;
      if (this.get(middle, seatField.conversation) < conversation) low = middle + 1;
      else high = middle;
    }
    if (low < this.#size && this.get(low, seatField.conversation) === conversation) return low;
    this.#insert(low);
    this.set(low, seatField.conversation, conversation);
    return low;
  }

  #insert(seat: number): void {
    const from = seat * fieldsPerSeat;
    const end = this.#size * fieldsPerSeat;
    if (end === this.#fields.length) {
      const larger = new Float64Array(end * 2);
      larger.set(this.#fields);
      this.#fields = larger;
    }
    this.#fields.copyWithin(from + fieldsPerSeat, from, end);
    this.#fields.fill(0, from, from + fieldsPerSeat);
    this.#size += 1;
  }
}
