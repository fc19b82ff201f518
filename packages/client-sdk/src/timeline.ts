import type { ConversationEvent, Range } from "@chat21/protocol";
import { addRange, rangeEnd } from "./ranges.ts";

/** A stretch of numbers to ask the server for; bounds exclusive, `before` open when absent. */
export interface Gap {
  readonly after: number;
  readonly before?: number;
}

/** What the server answered for a stretch of a log. */
export interface Answered {
  readonly covered: readonly Range[];
  readonly events: readonly ConversationEvent[];
}

/**
 * The numbers of one conversation's log, as far as this client knows them. Everything from `floor` to `position` is
 * known without a gap. Events beyond it wait until the numbers between are there, or are covered: a covered number
 * without an event is not for this user. Pure bookkeeping: no clock, no connection.
 */
export class Timeline {
  /** Lowest number from which on everything is known. */
  floor: number;
  /** Everything from `floor` up to here was released; 0 while nothing is known. */
  position: number;
  /** Message id at `position`, when there is a message. */
  positionMessageId: string | undefined;
  /** Up to here, messages are history for this user: they are held, never announced as new. */
  historyUpTo = 0;
  #head: number;
  #retired = false;
  readonly #waiting = new Map<number, ConversationEvent>();
  #covered: readonly Range[] = [];

  /** What was written up to then, by the server's clock, had been there when this client last looked. Milliseconds. */
  readonly seenAt: number;
  readonly #user: string;

  constructor(user: string, seenAt: number, position = 0, positionMessageId?: string) {
    this.#user = user;
    this.seenAt = seenAt;
    this.floor = position + 1;
    this.position = position;
    this.#head = position;
    this.positionMessageId = positionMessageId;
  }

  /** Highest number that is known to exist. */
  get head(): number {
    return this.#head;
  }

  /** Takes an event in; it waits for {@link release}. `false`: this number is known already. */
  offer(event: ConversationEvent): boolean {
    const { seq } = event;
    if (this.#retired || !Number.isSafeInteger(seq) || seq <= this.position || this.#waiting.has(seq))
      return false;
    this.#waiting.set(seq, event);
    this.raiseHead(seq);
    // What was written before this user was added is history.
    if (event.type === "member_added" && event.data?.["member_id"] === this.#user) this.makeHistory(seq - 1);
    return true;
  }

  /** Takes in what the server answered. */
  accept({ covered, events }: Answered): void {
    for (const event of events) this.offer(event);
    for (const [from, to] of covered) {
      this.#covered = addRange(this.#covered, [Math.max(from, this.position + 1), to]);
      this.raiseHead(to);
    }
  }

  /** The server knows numbers up to `head`. */
  raiseHead(head: number): void {
    if (head > this.#head && !this.#retired) this.#head = head;
  }

  /** What can be handed on now, ascending, each number once. */
  release(): ConversationEvent[] {
    const released: ConversationEvent[] = [];
    for (;;) {
      const next = this.position + 1;
      const event = this.#waiting.get(next);
      const end = event === undefined ? rangeEnd(this.#covered, next) : next;
      if (end === null) break;
      this.position = event === undefined ? Math.min(end, this.#lowestWaiting() - 1) : next;
      this.positionMessageId = event?.message?.message_id;
      this.#waiting.delete(next);
      if (event !== undefined) released.push(event);
    }
    this.#covered = this.#covered.filter(([, to]) => to > this.position);
    return released;
  }

  /** The lowest stretch of unknown numbers below the head, or `null`. */
  gap(): Gap | null {
    if (this.#head <= this.position) return null;
    const before = Math.min(this.#lowestWaiting(), this.#covered[0]?.[0] ?? Number.POSITIVE_INFINITY);
    return before === Number.POSITIVE_INFINITY ? { after: this.position } : { after: this.position, before };
  }

  /** Believes in no number that nobody has shown: the server had nothing to say about them. */
  giveUp(gap: Gap): void {
    if (gap.before === undefined) this.#head = this.position;
    else this.accept({ covered: [[gap.after + 1, gap.before - 1]], events: [] });
  }

  /** Nothing is known yet: what the server answered is the beginning of what this client holds. */
  begin(answered: Answered): void {
    const [from] = topRange(answered) ?? [this.#lowestWaiting(), 0];
    this.floor = Number.isFinite(from) ? from : 1;
    this.position = this.floor - 1;
    this.accept(answered);
  }

  /** The conversation is gone: nothing is missing, and what still arrives is left out. */
  retire(): void {
    this.#waiting.clear();
    this.#covered = [];
    this.#head = this.position;
    this.#retired = true;
  }

  /** Up to `seq`, everything is history. */
  makeHistory(seq: number): void {
    this.historyUpTo = Math.max(this.historyUpTo, seq);
  }

  /** Forgets what it held, for what the server answered; all of it is history. */
  restart(answered: Answered, head: number, options: { readonly keepWaiting: boolean }): void {
    const [from, to] = topRange(answered) ?? [head + 1, head];
    this.floor = from;
    this.position = to;
    this.positionMessageId = answered.events.find(({ seq }) => seq === to)?.message?.message_id;
    this.historyUpTo = Math.max(to, head);
    this.#covered = [];
    this.#head = this.historyUpTo;
    for (const seq of [...this.#waiting.keys()]) {
      if (seq <= to || !options.keepWaiting) this.#waiting.delete(seq);
      else this.raiseHead(seq);
    }
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
