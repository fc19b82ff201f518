import { SeatOrder } from "./seat-order.ts";

/**
 * Fields of one seat, all numbers, by their place. Places are given as numbers: a field that is found by its name costs
 * several times as much, and an account may have 50,000 seats.
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
  /** Number of the last event that a list shows; 0: none. */
  lastSeq: 6,
  /** Its timestamp; 0: none. Of a seat that was not looked up: a timestamp that is not earlier. */
  time: 7,
} as const;
type SeatField = (typeof seatField)[keyof typeof seatField];
const fieldsPerSeat = 8;

/**
 * The seats of one account: its conversations and what decides their places in lists, in one flat array. 64 bytes a seat,
 * and about as much for finding it.
 */
export class SeatTable {
  #fields = new Float64Array(8 * fieldsPerSeat);
  readonly #seats = new Map<number, number>();
  readonly #views = new Map<number, string>();
  /** The change up to which the seats were read. */
  upTo = 0;
  /** No seat has a newer change. */
  newestChange = 0;
  /** Characters of the views that are kept. */
  viewCharacters = 0;
  /** Seats that were looked up, by the time of their last listed event. */
  readonly exact = new SeatOrder((seat) => this.get(seat, seatField.time));
  /** The other seats, by a time that is not earlier. */
  readonly unsure = new SeatOrder((seat) => this.get(seat, seatField.time));

  get size(): number {
    return this.#seats.size;
  }

  get(seat: number, field: SeatField): number {
    return this.#fields[seat * fieldsPerSeat + field] as number;
  }

  set(seat: number, field: SeatField, value: number): void {
    this.#fields[seat * fieldsPerSeat + field] = value;
  }

  /** The seat in a conversation; `undefined`: there is none. */
  find(conversation: number): number | undefined {
    return this.#seats.get(conversation);
  }

  /** The seat in a conversation, made when there is none. */
  seatIn(conversation: number): number {
    const known = this.#seats.get(conversation);
    if (known !== undefined) return known;
    const seat = this.size;
    this.#seats.set(conversation, seat);
    if (seat * fieldsPerSeat === this.#fields.length) {
      const larger = new Float64Array(this.#fields.length * 2);
      larger.set(this.#fields);
      this.#fields = larger;
    }
    this.set(seat, seatField.conversation, conversation);
    return seat;
  }

  /** Puts seats whose fields have changed into the right places of the right order. */
  arrange(seats: readonly number[]): void {
    if (seats.length === 0) return;
    const marks = new Uint8Array(this.size);
    for (const seat of seats) marks[seat] = 1;
    const distinct = [...new Set(seats)];
    this.exact.move(
      marks,
      distinct.filter((seat) => this.isExact(seat)),
    );
    this.unsure.move(
      marks,
      distinct.filter((seat) => !this.isExact(seat)),
    );
  }

  /** Whether the seat was looked up since the conversation's log went on. */
  isExact(seat: number): boolean {
    return this.get(seat, seatField.asOf) > 0;
  }

  /** What was read of a seat for a list. Kept until {@link forgetView}. */
  view(seat: number): string | undefined {
    return this.#views.get(seat);
  }

  /** Only where none is kept. */
  keepView(seat: number, text: string): void {
    this.#views.set(seat, text);
    this.viewCharacters += text.length;
  }

  forgetView(seat: number): void {
    this.viewCharacters -= this.#views.get(seat)?.length ?? 0;
    this.#views.delete(seat);
  }

  forgetViews(): void {
    this.#views.clear();
    this.viewCharacters = 0;
  }
}
