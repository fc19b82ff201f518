import type { ConversationEvent, Range } from "@chat21/protocol";
import { isJoinOf } from "../conversation/kinds/membership.ts";
import { addRange, rangeEnd } from "./ranges.ts";

/** A stretch of numbers to ask the server for; bounds exclusive, `before` open when absent. */
export interface Gap {
  readonly after: number;
  readonly before?: number;
}

/** The server's answer about a stretch of a log. */
export interface Answered {
  readonly covered: readonly Range[];
  readonly events: readonly ConversationEvent[];
}

/** The next numbers of a log, inclusive, and the events among them. */
export interface Released {
  readonly from: number;
  readonly to: number;
  readonly events: readonly ConversationEvent[];
}

/**
 * The order of one conversation's log. Events beyond the position wait until the numbers between are there, or are
 * covered: a covered number without an event is not for this user. Pure bookkeeping: no clock, no connection.
 */
export class LogOrder {
  /** The last number that this user may see, by the server's history. */
  visibleHead = Number.POSITIVE_INFINITY;
  /** Messages up to here are history for this user: they are held, but never announced as new. */
  historyUpTo = 0;
  /** Events from before this time, by the server's clock, existed when this client last looked. Milliseconds. */
  readonly seenAt: number;
  readonly #user: string;
  #position: number;
  #head: number;
  #retired = false;
  /** Released events whose handlers are still at work, ascending. */
  readonly #handling = new Set<number>();
  readonly #waiting = new Map<number, ConversationEvent>();
  #covered: readonly Range[] = [];

  constructor(user: string, seenAt: number, position = 0) {
    this.#user = user;
    this.seenAt = seenAt;
    this.#position = position;
    this.#head = position;
  }

  /** Everything up to here was released; 0 while nothing is known. */
  get position(): number {
    return this.#position;
  }

  /** Everything up to here was released, and the app's handlers are through with it. */
  get handled(): number {
    const [first = Number.POSITIVE_INFINITY] = this.#handling;
    return Math.min(this.#position, first - 1);
  }

  /** Notes that handlers are at work on a released event until `done` resolves. */
  async follow(seq: number, done: Promise<unknown>): Promise<void> {
    this.#handling.add(seq);
    await done;
    this.#handling.delete(seq);
  }

  /** Highest number that is known to exist. */
  get head(): number {
    return this.#head;
  }

  /** Takes an event in; it waits for {@link release}. `false`: this number is known already. */
  offer(event: ConversationEvent): boolean {
    const { seq } = event;
    if (this.#retired || !Number.isSafeInteger(seq) || seq <= this.#position || this.#waiting.has(seq))
      return false;
    this.#waiting.set(seq, event);
    this.raiseHead(seq);
    if (isJoinOf(this.#user, event)) this.makeHistory(seq - 1);
    // History that a new member is shown.
    if (event.message?.__history) this.makeHistory(seq);
    return true;
  }

  /** Takes the server's answer in. */
  accept({ covered, events }: Answered): void {
    if (this.#retired) return;
    for (const event of events) this.offer(event);
    for (const [from, to] of covered) {
      this.#covered = addRange(this.#covered, [Math.max(from, this.#position + 1), to]);
      this.raiseHead(to);
    }
  }

  /** Notes that the server has numbers up to `head`. */
  raiseHead(head: number): void {
    if (head > this.#head && !this.#retired) this.#head = head;
  }

  /** Releases the events that are in order now, each number once; `null` without any. */
  release(): Released | null {
    const from = this.#position + 1;
    const events: ConversationEvent[] = [];
    for (;;) {
      const next = this.#position + 1;
      const event = this.#waiting.get(next);
      const end = event === undefined ? rangeEnd(this.#covered, next) : next;
      if (end === null) break;
      this.#position = event === undefined ? Math.min(end, this.#lowestWaiting() - 1) : next;
      this.#waiting.delete(next);
      if (event !== undefined) events.push(event);
    }
    this.#covered = this.#covered.filter(([, to]) => to > this.#position);
    return this.#position < from ? null : { from, to: this.#position, events };
  }

  /** The lowest stretch of unknown numbers below the head, or `null`. All of it, while the server has said nothing. */
  gap(): Gap | null {
    if (this.#head <= this.#position) return null;
    if (this.#position === 0 && this.#covered.length === 0) return { after: 0 };
    const before = Math.min(this.#lowestWaiting(), this.#covered[0]?.[0] ?? Number.POSITIVE_INFINITY);
    return before === Number.POSITIVE_INFINITY
      ? { after: this.#position }
      : { after: this.#position, before };
  }

  /** Forgets the numbers of a gap, which only a head has announced: the server had nothing to say about them. */
  giveUp(gap: Gap): void {
    const before = gap.before ?? this.#lowestWaiting();
    if (Number.isFinite(before)) this.accept({ covered: [[gap.after + 1, before - 1]], events: [] });
    else this.#head = this.#position;
  }

  /** Begins an unknown log with the server's answer, which becomes the first held part. */
  begin(answered: Answered): void {
    const [from] = topRange(answered) ?? [this.#lowestWaiting()];
    this.#position = Number.isFinite(from) ? from - 1 : 0;
    this.#forgetWaiting();
    this.accept(answered);
  }

  /** Ends the order of a conversation that is gone: nothing is missing, and later arrivals are left out. */
  retire(): void {
    this.#waiting.clear();
    this.#covered = [];
    this.#head = this.#position;
    this.#retired = true;
  }

  /** Makes everything up to `seq` history. */
  makeHistory(seq: number): void {
    this.historyUpTo = Math.max(this.historyUpTo, seq);
  }

  /** Goes on behind the server's answer, or behind `head` after an empty one; answers the numbers of that answer. */
  restart(answered: Answered, head: number): Range {
    const [from, to] = topRange(answered) ?? [head + 1, head];
    this.#position = to;
    this.historyUpTo = Math.max(to, head);
    this.#covered = [];
    this.#head = this.historyUpTo;
    this.#forgetWaiting();
    for (const seq of this.#waiting.keys()) this.raiseHead(seq);
    return [from, to];
  }

  /** Drops waiting events that lie before the position. */
  #forgetWaiting(): void {
    for (const seq of [...this.#waiting.keys()]) if (seq <= this.#position) this.#waiting.delete(seq);
  }

  #lowestWaiting(): number {
    let lowest = Number.POSITIVE_INFINITY;
    for (const seq of this.#waiting.keys()) if (seq < lowest) lowest = seq;
    return lowest;
  }
}

/** The highest stretch without a hole in an answer. */
export function topRange({ covered, events }: Answered): Range | undefined {
  let known: readonly Range[] = [];
  for (const range of covered) known = addRange(known, range);
  for (const { seq } of events) known = addRange(known, [seq, seq]);
  return known.at(-1);
}
