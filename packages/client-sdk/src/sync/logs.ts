import type { ConversationEvent, HistoryResponse, SyncItem } from "@chat21/protocol";
import { ChatError } from "@chat21/protocol";
import type { Backoff } from "../connection/backoff.ts";
import type { Clock } from "../connection/clock.ts";
import type { Dispatch } from "../conversation/update.ts";
import { GapFiller } from "./gap-filler.ts";
import type { Answered, Gap } from "./log-order.ts";
import { LogOrder, topRange } from "./log-order.ts";
import type { Positions } from "./positions.ts";
import type { SyncSource } from "./sync-source.ts";

/** Settings of {@link Logs}. */
export interface LogsOptions {
  readonly user: string;
  readonly source: SyncSource;
  readonly dispatch: Dispatch;
  readonly clock: Clock;
  readonly backoff: Backoff;
  /** Missed events of one conversation that are still fetched one by one. */
  readonly maxCatchUp: number;
  /** Events of one answer, at most. */
  readonly pageEvents: number;
  handleError(error: ChatError): void;
  /** Called when the server answers from another store than the known one. */
  handleOtherEpoch(): void;
}

/** The logs of all conversations, each in its order: hands on events in their place, and asks for missing ones. */
export class Logs {
  readonly filler: GapFiller;
  /** Epoch of the store that the positions belong to; `undefined` while nothing is known. */
  epoch: string | undefined;
  /** In an unknown conversation, events from before this time are history. Milliseconds of the server's clock. */
  seenAt = 0;
  /** Live events wait elsewhere: no gap is asked for. */
  isHolding = false;
  readonly #options: LogsOptions;
  readonly #orders = new Map<string, LogOrder>();

  constructor(options: LogsOptions) {
    this.#options = options;
    this.filler = new GapFiller({
      clock: options.clock,
      backoff: options.backoff,
      ask: (conversWith, order, gap, signal) => this.#ask(conversWith, order, gap, signal),
      giveUp: (conversWith, order, gap) => this.#giveUp(conversWith, order, gap),
    });
  }

  load({ epoch, checkedAt, positions }: Omit<Positions, "cursor">): void {
    this.epoch = epoch;
    this.seenAt = checkedAt;
    for (const [conversWith, { seq, seenAt = checkedAt }] of Object.entries(positions)) {
      const order = new LogOrder(this.#options.user, seenAt, seq);
      this.#orders.set(conversWith, order);
      if (seq > 0) this.#advance(conversWith, { from: seq + 1, to: seq, events: [] }, "sync");
      else order.raiseHead(1);
    }
  }

  snapshot(): Omit<Positions, "cursor"> | undefined {
    const { epoch, seenAt: checkedAt } = this;
    if (epoch === undefined) return undefined;
    const positions: Record<string, Positions["positions"][string]> = {};
    for (const [conversWith, { head, handled: seq, seenAt }] of this.#orders) {
      if (head > 0) positions[conversWith] = seq > 0 ? { seq } : { seq, seenAt };
    }
    return { epoch, checkedAt, positions };
  }

  /** Resolves when the app's handlers are through with an event; until then the position stays before it. */
  follow(conversWith: string, seq: number, done: Promise<unknown>): Promise<void> {
    return this.#order(conversWith).follow(seq, done);
  }

  /** Forgets all logs. */
  clear(): void {
    for (const order of this.#orders.values()) order.retire();
    this.#orders.clear();
    this.epoch = undefined;
  }

  /** Begins a conversation that is not listed yet with a page of its history. */
  adopt(conversWith: string, answer: HistoryResponse): void {
    const order = this.#order(conversWith);
    if (order.position > 0 || answer.epoch !== this.epoch || topRange(answer) === undefined) return;
    order.begin(answer);
    order.makeHistory(order.head);
    this.#settle(conversWith, order, "sync");
  }

  /** One live event. */
  takeNext(event: ConversationEvent): void {
    const order = this.#order(event.conversWith);
    if (order.offer(event)) this.#settle(event.conversWith, order, "live");
  }

  /** Takes live events that have waited, and hands on everything that is in order. */
  takeLive(events: readonly ConversationEvent[]): void {
    for (const event of events) if (event.epoch === this.epoch) this.#order(event.conversWith).offer(event);
    for (const [conversWith, order] of [...this.#orders]) this.#settle(conversWith, order, "live");
  }

  /** Takes one conversation of an answer of sync. `isFirst`: all of it is from before this user signed in. */
  take(item: SyncItem, isFirst: boolean): void {
    const { dispatch, maxCatchUp } = this.#options;
    const { state, covered, events, behind } = item;
    const { conversWith, head } = state;
    const answered: Answered = { covered, events };
    const order = this.#order(conversWith);
    const top = topRange(answered);
    const { position } = order;
    if (position === 0) {
      const isOld = (state.conversation?.timestamp ?? 0) < order.seenAt;
      const isHistory = isFirst || (top === undefined && isOld);
      // Some of its events are already asked for, and are not announced yet.
      const isPending = order.head > 0;
      if (isHistory && !isPending) this.#restart(conversWith, order, answered, head, false);
      else if (top !== undefined) this.#discover(conversWith, order, answered, behind === true || isPending);
    } else if ((top?.[0] ?? head + 1) - 1 - position > maxCatchUp) {
      this.#restart(conversWith, order, answered, head, true);
    } else {
      order.accept(answered);
    }
    order.raiseHead(head);
    this.#settle(conversWith, order, "sync");
    // Live events wait now: the answer and the held messages are as of the same moment.
    if (top === undefined || !this.isHolding) return;
    const [from, to] = top;
    dispatch({ type: "extended", asked: false, conversWith, from, to, events });
  }

  /**
   * Takes in the newest events of an unknown conversation. Events that existed when this client last looked are no
   * news. When all of an answer is news, and `mayBeBehind`, the order keeps a gap before it, to be asked for. When the
   * gap would be too large, the conversation begins with the answer.
   */
  #discover(conversWith: string, order: LogOrder, answered: Answered, mayBeBehind: boolean): void {
    for (const { seq, timestamp } of answered.events) {
      if (timestamp < order.seenAt) order.makeHistory(seq);
    }
    order.accept(answered);
    const from = topRange(answered)?.[0] ?? 1;
    const isWhole = !mayBeBehind || from <= 1 || order.historyUpTo >= from;
    const isTooMuch = !isWhole && order.head - from > this.#options.maxCatchUp;
    if (isWhole || isTooMuch) order.begin(answered);
    if (isTooMuch) {
      const empty = { conversWith, from, to: from - 1, head: order.head, events: [] };
      this.#options.dispatch({ type: "restarted", known: true, ...empty });
    }
  }

  /** Replaces a conversation's held messages by an answer; all of it is history. */
  #restart(conversWith: string, order: LogOrder, answered: Answered, head: number, known: boolean): void {
    const [from, to] = order.restart(answered, head);
    const { events } = answered;
    this.#options.dispatch({ type: "restarted", conversWith, from, to, head, events, known });
  }

  /** Hands on events that are in order, and asks for missing ones. */
  #settle(conversWith: string, order: LogOrder, origin: "live" | "sync"): void {
    const released = order.release();
    if (released !== null) this.#advance(conversWith, released, origin, order.historyUpTo);
    if (order.gap() === null || this.isHolding) return;
    void this.filler.fill(conversWith, order, origin === "live" && order.position > 0);
  }

  #advance(
    conversWith: string,
    { from, to, events }: { from: number; to: number; events: readonly ConversationEvent[] },
    origin: "live" | "sync",
    historyUpTo = 0,
  ): void {
    const released = events.map((event) => ({ event, fresh: event.seq > historyUpTo }));
    this.#options.dispatch({ type: "advanced", conversWith, from, to, events: released, origin });
  }

  async #ask(conversWith: string, order: LogOrder, gap: Gap, signal: AbortSignal): Promise<void> {
    const { source, dispatch } = this.#options;
    const unknown = order.position === 0;
    // Nothing is known: the newest events are asked for.
    const { before } = gap;
    const range = !unknown ? gap : before === undefined ? {} : { before };
    const answer = await source.events(conversWith, { ...range, limit: this.#options.pageEvents }, signal);
    if (answer.epoch !== this.epoch) {
      this.#options.handleOtherEpoch();
      throw new ChatError("store_unavailable", "the server's store was replaced");
    }
    // The log was begun anew meanwhile.
    if (this.#orders.get(conversWith) !== order) return;
    order.visibleHead = answer.head;
    for (const event of answer.events) dispatch({ type: "arrived", event });
    if (unknown && order.position === 0 && topRange(answer) !== undefined) {
      this.#discover(conversWith, order, answer, true);
    } else {
      order.accept(answer);
    }
    this.#settle(conversWith, order, "sync");
  }

  #giveUp(conversWith: string, order: LogOrder, gap: Gap): void {
    // A user who has left a group still hears which of the earlier messages were deleted.
    if (order.visibleHead > gap.after) {
      const text = `the server does not explain the numbers of ${conversWith} after ${gap.after}`;
      this.#options.handleError(new ChatError("internal", text));
    }
    order.giveUp(gap);
    this.#settle(conversWith, order, "live");
  }

  /** The order of a conversation; an empty one for an unknown conversation. */
  #order(conversWith: string): LogOrder {
    const existing = this.#orders.get(conversWith);
    if (existing !== undefined) return existing;
    const order = new LogOrder(this.#options.user, this.seenAt, 0);
    this.#orders.set(conversWith, order);
    return order;
  }
}
