import type {
  ConversationEvent,
  HistoryResponse,
  SyncItem,
  SyncRequest,
  SyncResponse,
} from "@chat21/protocol";
import { ChatError, limits } from "@chat21/protocol";
import type { Backoff } from "../connection/backoff.ts";
import type { Clock } from "../connection/clock.ts";
import { delay } from "../connection/clock.ts";
import type { Dispatch } from "../conversation/update.ts";
import { GapFiller } from "./gap-filler.ts";
import type { Answered, Gap } from "./log-order.ts";
import { LogOrder, topRange } from "./log-order.ts";
import type { Positions } from "./positions.ts";
import type { SyncSource } from "./sync-source.ts";

/** What a synchronizer is made of. */
export interface SynchronizerOptions {
  readonly user: string;
  readonly source: SyncSource;
  readonly dispatch: Dispatch;
  readonly clock: Clock;
  readonly backoff: Backoff;
  /** Missed events of one conversation that are still fetched one by one. */
  readonly maxCatchUp: number;
  /** Events of one conversation in one answer, at most. @default what the server takes for it */
  readonly pageEvents?: number;
  handleError(error: ChatError): void;
}

const firstListEvents = 30;
// Server and database may read their clocks at slightly different moments.
const clockToleranceMs = 10_000;

/**
 * Brings what arrives live and what the server answers into one order per conversation: by `seq`, without a gap and
 * without a repeat. Numbers that an answer covers are never asked for again.
 *
 * Two things are asked for, page by page: what has changed since a cursor, and, once in a client's life, the list of all
 * conversations. Of each the first page is waited for; the others come in the background.
 */
export class Synchronizer {
  readonly #options: SynchronizerOptions;
  readonly #filler: GapFiller;
  readonly #pageEvents: number;
  readonly #orders = new Map<string, LogOrder>();
  #epoch: string | undefined;
  /** In a conversation that is not known yet, what was written before is history. Milliseconds of the server's clock. */
  #seenAt = 0;
  /** What is listed was there before this user signed in on this device: all of it is history. */
  #isFirst = false;
  #cursor: string | undefined;
  /** There are further pages behind the cursor. */
  #isBehind = false;
  /** Where the list goes on; `undefined`: it has not begun, `null`: it is through. */
  #listing: string | null | undefined;
  /** Live events that wait for the answer of a catch-up, or belong to an epoch that is not known yet. */
  #buffer: ConversationEvent[] = [];
  #holding = false;
  #turn: Promise<unknown> = Promise.resolve();
  /** Until when pages are asked for in the background. */
  #background: AbortSignal | undefined;
  #isCheckWanted = false;

  constructor(options: SynchronizerOptions) {
    this.#options = options;
    this.#pageEvents = options.pageEvents ?? limits.listDefault;
    this.#filler = new GapFiller({
      clock: options.clock,
      backoff: options.backoff,
      ask: (conversWith, order, gap, signal) => this.#ask(conversWith, order, gap, signal),
      giveUp: (conversWith, order, gap) => this.#giveUp(conversWith, order, gap),
    });
  }

  /** Of the store that the positions belong to; `undefined` before the first catch-up. */
  get epoch(): string | undefined {
    return this.#epoch;
  }

  load({ epoch, checkedAt, cursor, positions }: Positions): void {
    this.#epoch = epoch;
    this.#seenAt = checkedAt;
    if (cursor !== undefined && cursor.length <= limits.cursorCharacters) this.#cursor = cursor;
    for (const [conversWith, { seq, seenAt = checkedAt }] of Object.entries(positions)) {
      const order = new LogOrder(this.#options.user, seenAt, seq);
      this.#orders.set(conversWith, order);
      if (seq > 0) this.#advance(conversWith, { from: seq + 1, to: seq, events: [] }, "sync");
      else order.raiseHead(1);
    }
  }

  /** `undefined` before the first catch-up. */
  snapshot(): Positions | undefined {
    const epoch = this.#epoch;
    if (epoch === undefined) return undefined;
    const positions: Record<string, Positions["positions"][string]> = {};
    for (const [conversWith, { head, position: seq, seenAt }] of this.#orders) {
      if (head > 0) positions[conversWith] = seq > 0 ? { seq } : { seq, seenAt };
    }
    const cursor = this.#cursor;
    return { epoch, checkedAt: this.#seenAt, ...(cursor === undefined ? {} : { cursor }), positions };
  }

  /** Takes in a conversation that is not listed yet, from a page of its history. */
  adopt(conversWith: string, answer: HistoryResponse): void {
    const order = this.#order(conversWith);
    if (order.position > 0 || answer.epoch !== this.#epoch || topRange(answer) === undefined) return;
    order.begin(answer);
    order.makeHistory(order.head);
    this.#settle(conversWith, order, "sync");
  }

  /** Live events are held back until {@link catchUp} is through. Call it before a new subscription begins. */
  hold(): void {
    this.#holding = true;
  }

  /** No connection: stops asking. What is held back stays until the next {@link catchUp}. */
  pause(): void {
    this.#filler.stop();
  }

  /**
   * Asks what has changed. Resolves behind the first page, which is the newest, and goes on in the background; rejects when
   * the server does not answer. Runs are one after the other.
   */
  catchUp(signal: AbortSignal): Promise<void> {
    return this.#inTurn(async () => {
      this.#isCheckWanted = false;
      const isAnew = this.#cursor !== undefined && !(await this.#takeChanges(this.#cursor, signal));
      if (!isAnew && this.#listing !== null) await this.#takeNewest(signal);
      this.#holding = false;
      this.#filler.start();
      this.#drain();
      void this.#goOn();
    });
  }

  /** Something has changed that only the server can tell: asks, unless offline. Calls are joined. */
  check(): void {
    if (this.#isCheckWanted || this.#filler.signal === undefined) return;
    this.#isCheckWanted = true;
    void this.#insist((signal) => this.catchUp(signal));
  }

  handleLive(event: ConversationEvent): void {
    const { conversWith } = event;
    this.#options.dispatch({ type: "arrived", event });
    if (this.#holding || event.epoch !== this.#epoch) {
      this.#buffer.push(event);
      if (this.#holding) return;
      // Nothing is handed on until it is known what the server holds now.
      this.#holding = true;
      void this.#insist((signal) => this.catchUp(signal));
      return;
    }
    const order = this.#order(conversWith);
    if (order.offer(event)) this.#settle(conversWith, order, "live");
  }

  /** One page of what has changed since the cursor. `false`: the server has another history, and its list has begun. */
  async #takeChanges(cursor: string, signal: AbortSignal): Promise<boolean> {
    const answer = await this.#follow(cursor, this.#pageEvents, signal);
    if (answer === null) return false;
    this.#cursor = answer.cursor;
    this.#isBehind = answer.more;
    if (!answer.more) this.#seenAt = answer.now - clockToleranceMs;
    return true;
  }

  /** The newest page of the list; the rest is for the background. */
  async #takeNewest(signal: AbortSignal): Promise<void> {
    this.#takeListed(await this.#sync({ limit: Math.min(firstListEvents, this.#pageEvents) }, signal));
  }

  #takeListed(answer: SyncResponse): void {
    if (this.#isReplacedBy(answer)) this.#replace();
    if (this.#epoch === undefined) {
      this.#isFirst = true;
      this.#seenAt = answer.now;
    }
    this.#epoch = answer.epoch;
    this.#takeIn(answer);
    this.#setListing(answer.more ? (this.#listing ?? answer.cursor) : null, answer.cursor);
  }

  #setListing(listing: string | null, cursor: string): void {
    this.#listing = listing;
    if (listing !== null) return;
    this.#isFirst = false;
    // An earlier place of one's own comes first: what lies between has not been announced.
    this.#cursor ??= cursor;
  }

  /** One page more, of whatever is not through. */
  async #takeNext(signal: AbortSignal): Promise<void> {
    if (this.#isBehind && this.#cursor !== undefined) {
      await this.#takeChanges(this.#cursor, signal);
    } else if (typeof this.#listing === "string") {
      const answer = await this.#follow(this.#listing, 0, signal);
      if (answer !== null) this.#setListing(answer.more ? answer.cursor : null, answer.cursor);
    }
  }

  async #goOn(): Promise<void> {
    const { signal } = this.#filler;
    if (signal === undefined || this.#background === signal) return;
    this.#background = signal;
    while (!signal.aborted && (this.#isBehind || typeof this.#listing === "string")) {
      await this.#insist(() => this.#inTurn(() => this.#takeNext(signal)));
    }
    if (this.#background === signal) this.#background = undefined;
  }

  /** The page behind a cursor. `null`: the server has another history, and its list has begun. */
  async #follow(cursor: string, limit: number, signal: AbortSignal): Promise<SyncResponse | null> {
    const answer = await this.#sync({ cursor, limit }, signal).catch((thrown) => {
      if (ChatError.fromUnknown(thrown).code !== "invalid_cursor") throw thrown;
      return null;
    });
    if (answer === null) {
      this.#replace();
      await this.#takeNewest(signal);
    } else if (this.#isReplacedBy(answer)) {
      this.#takeListed(answer);
    } else {
      this.#takeIn(answer);
      return answer;
    }
    return null;
  }

  async #sync(request: SyncRequest, signal: AbortSignal): Promise<SyncResponse> {
    this.#options.dispatch({ type: "asked" });
    return this.#options.source.sync(request, signal);
  }

  #isReplacedBy({ epoch, reset }: SyncResponse): boolean {
    return reset === true || (this.#epoch !== undefined && this.#epoch !== epoch);
  }

  /** The store has another history: nothing that is known of the old one counts. */
  #replace(): void {
    for (const order of this.#orders.values()) order.retire();
    this.#orders.clear();
    this.#epoch = undefined;
    this.#cursor = undefined;
    this.#isBehind = false;
    this.#listing = undefined;
    this.#options.dispatch({ type: "replaced" });
  }

  #takeIn({ conversations }: SyncResponse): void {
    const { dispatch } = this.#options;
    for (const item of conversations) {
      for (const event of item.events) dispatch({ type: "arrived", event });
      this.#take(item);
      dispatch({ type: "state", state: item.state });
    }
    dispatch({ type: "answered" });
  }

  #take(item: SyncItem): void {
    const { dispatch, maxCatchUp } = this.#options;
    const { state, covered, events, behind } = item;
    const { conversWith, head } = state;
    const answered: Answered = { covered, events };
    const order = this.#order(conversWith);
    const top = topRange(answered);
    const { position } = order;
    if (position === 0) {
      const isOld = (state.conversation?.timestamp ?? 0) <= order.seenAt;
      const isHistory = this.#isFirst || (top === undefined && isOld);
      // Something of it is asked for already, and what that is has not been told.
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
    // Live events wait now: what was answered and what is held are as of the same moment.
    if (top === undefined || !this.#holding) return;
    const [from, to] = top;
    dispatch({ type: "extended", asked: false, conversWith, from, to, events });
  }

  /**
   * Takes in the newest events of a conversation that is not known. What had been there when this client last looked is no
   * news. Where all of an answer is news, and `mayBeBehind`, the order keeps a gap before it, to be asked for; when that
   * would be too much, the conversation begins with what was answered.
   */
  #discover(conversWith: string, order: LogOrder, answered: Answered, mayBeBehind: boolean): void {
    for (const { seq, timestamp } of answered.events) {
      if (timestamp <= order.seenAt) order.makeHistory(seq);
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

  /** What is held of a conversation is replaced by what was answered; all of it is history. */
  #restart(conversWith: string, order: LogOrder, answered: Answered, head: number, known: boolean): void {
    const [from, to] = order.restart(answered, head);
    const { events } = answered;
    this.#options.dispatch({ type: "restarted", conversWith, from, to, head, events, known });
  }

  /** Hands on what is in order, and asks for what is missing. */
  #settle(conversWith: string, order: LogOrder, origin: "live" | "sync"): void {
    const released = order.release();
    if (released !== null) this.#advance(conversWith, released, origin, order.historyUpTo);
    if (order.gap() === null || this.#holding) return;
    void this.#filler.fill(conversWith, order, origin === "live" && order.position > 0);
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

  #drain(): void {
    const buffered = this.#buffer;
    this.#buffer = [];
    for (const event of buffered) {
      if (event.epoch === this.#epoch) this.#order(event.conversWith).offer(event);
    }
    for (const [conversWith, order] of [...this.#orders]) this.#settle(conversWith, order, "live");
  }

  async #ask(conversWith: string, order: LogOrder, gap: Gap, signal: AbortSignal): Promise<void> {
    const { source, dispatch } = this.#options;
    const unknown = order.position === 0;
    // Nothing is known: the newest are asked for.
    const { before } = gap;
    const range = !unknown ? gap : before === undefined ? {} : { before };
    const answer = await source.events(conversWith, { ...range, limit: this.#pageEvents }, signal);
    if (answer.epoch !== this.#epoch) {
      this.check();
      throw new ChatError("store_unavailable", "the server's store was replaced");
    }
    // Meanwhile begun anew.
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
    // Somebody who has left a group still hears which of the messages before were deleted.
    if (order.visibleHead > gap.after) {
      const text = `the server does not explain the numbers of ${conversWith} after ${gap.after}`;
      this.#options.handleError(new ChatError("internal", text));
    }
    order.giveUp(gap);
    this.#settle(conversWith, order, "live");
  }

  /** Tries until it succeeds, or until the connection is gone. */
  async #insist(run: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const { clock, backoff } = this.#options;
    const { signal } = this.#filler;
    for (let attempt = 1; signal !== undefined && !signal.aborted; attempt++) {
      const failure = await run(signal).then(() => null, ChatError.fromUnknown);
      if (failure === null) return;
      await delay(clock, Math.max(backoff(attempt), failure.retryAfterMs ?? 0), signal);
    }
  }

  #inTurn<Value>(run: () => Promise<Value>): Promise<Value> {
    const result = this.#turn.then(run);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  /** An empty one where nothing is known. */
  #order(conversWith: string): LogOrder {
    const existing = this.#orders.get(conversWith);
    if (existing !== undefined) return existing;
    const order = new LogOrder(this.#options.user, this.#seenAt, 0);
    this.#orders.set(conversWith, order);
    return order;
  }
}
