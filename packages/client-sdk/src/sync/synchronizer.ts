import type { ConversationEvent, HistoryResponse, SyncRequest, SyncResponse } from "@chat21/protocol";
import { ChatError, clientLimits } from "@chat21/protocol";
import { delay } from "../connection/clock.ts";
import type { LogsOptions } from "./logs.ts";
import { Logs } from "./logs.ts";
import type { Positions } from "./positions.ts";

/** Settings of a {@link Synchronizer}. */
export interface SynchronizerOptions extends Omit<LogsOptions, "handleOtherEpoch" | "pageEvents"> {
  /** Events of one conversation in one answer, at most. @default the server's default */
  readonly pageEvents?: number;
}

const firstListEvents = 30;
// Server and database may read their clocks at slightly different moments.
const clockToleranceMs = 10_000;

/**
 * Brings live events and the server's answers into one order per conversation: by `seq`, without a gap and without a
 * repeat. Numbers that an answer covers are never asked for again.
 *
 * Two things are asked for, page by page: the changes since a cursor, and, once in a client's life, the list of all
 * conversations. Only the first page of each is waited for; the others come in the background.
 */
export class Synchronizer {
  readonly #options: SynchronizerOptions;
  readonly #logs: Logs;
  readonly #pageEvents: number;
  /** The listed events are from before this user signed in on this device: all of them are history. */
  #isFirst = false;
  #cursor: string | undefined;
  /** There are further pages behind the cursor. */
  #isBehind = false;
  /** The list's cursor for its next page; `undefined`: not begun yet, `null`: complete. */
  #listing: string | null | undefined;
  /** Live events that wait for the answer of a catch-up, or belong to an unknown epoch. */
  readonly #buffer: ConversationEvent[] = [];
  #turn: Promise<unknown> = Promise.resolve();
  /** Signal until which pages are asked for in the background. */
  #background: AbortSignal | undefined;
  #isCheckWanted = false;

  constructor(options: SynchronizerOptions) {
    this.#options = options;
    this.#pageEvents = options.pageEvents ?? clientLimits.listDefault;
    this.#logs = new Logs({
      ...options,
      pageEvents: this.#pageEvents,
      handleOtherEpoch: () => this.check(),
    });
  }

  /** Epoch of the store that the positions belong to; `undefined` before the first catch-up. */
  get epoch(): string | undefined {
    return this.#logs.epoch;
  }

  load({ cursor, ...positions }: Positions): void {
    this.#logs.load(positions);
    if (cursor !== undefined && cursor.length <= clientLimits.cursorCharacters) this.#cursor = cursor;
  }

  /** The present positions; `undefined` before the first catch-up. */
  snapshot(): Positions | undefined {
    const cursor = this.#cursor;
    const positions = this.#logs.snapshot();
    return positions && { ...positions, ...(cursor === undefined ? {} : { cursor }) };
  }

  /** See {@link Logs.follow}. */
  follow(conversWith: string, seq: number, done: Promise<unknown>): Promise<void> {
    return this.#logs.follow(conversWith, seq, done);
  }

  /** Begins a conversation that is not listed yet with a page of its history. */
  adopt(conversWith: string, answer: HistoryResponse): void {
    this.#logs.adopt(conversWith, answer);
  }

  /** Holds live events back until {@link catchUp} is through. Call it before a new subscription begins. */
  hold(): void {
    this.#logs.isHolding = true;
  }

  /** Stops asking while there is no connection. Held events stay until the next {@link catchUp}. */
  pause(): void {
    this.#logs.filler.stop();
  }

  /**
   * Asks for changes. Resolves after the first page, which is the newest, and goes on in the background; rejects when
   * the server does not answer. Runs are one after the other.
   */
  catchUp(signal: AbortSignal): Promise<void> {
    return this.#inTurn(async () => {
      this.#isCheckWanted = false;
      const isAnew = this.#cursor !== undefined && !(await this.#takeChanges(this.#cursor, signal));
      if (!isAnew && this.#listing !== null) await this.#takeNewest(signal);
      this.#logs.isHolding = false;
      this.#logs.filler.start();
      this.#logs.takeLive(this.#buffer.splice(0));
      void this.#goOn();
    });
  }

  /** Asks the server because of a change that only it can tell; no effect while offline. Calls are joined. */
  check(): void {
    if (this.#isCheckWanted || this.#logs.filler.signal === undefined) return;
    this.#isCheckWanted = true;
    void this.#insist((signal) => this.catchUp(signal));
  }

  handleLive(event: ConversationEvent): void {
    this.#options.dispatch({ type: "arrived", event });
    const { isHolding, epoch } = this.#logs;
    if (!isHolding && event.epoch === epoch) {
      this.#logs.takeNext(event);
      return;
    }
    this.#buffer.push(event);
    if (isHolding) return;
    // No event is handed on until the server's present state is known.
    this.#logs.isHolding = true;
    void this.#insist((signal) => this.catchUp(signal));
  }

  /** Takes one page of changes since the cursor. `false`: the server has another history, and its list has begun. */
  async #takeChanges(cursor: string, signal: AbortSignal): Promise<boolean> {
    const answer = await this.#follow(cursor, this.#pageEvents, signal);
    if (answer === null) return false;
    this.#cursor = answer.cursor;
    this.#isBehind = answer.more;
    if (!answer.more) this.#logs.seenAt = answer.now - clockToleranceMs;
    return true;
  }

  /** Takes the newest page of the list; the rest comes in the background. */
  async #takeNewest(signal: AbortSignal): Promise<void> {
    this.#takeListed(await this.#sync({ limit: Math.min(firstListEvents, this.#pageEvents) }, signal));
  }

  #takeListed(answer: SyncResponse): void {
    if (this.#isReplacedBy(answer)) this.#replace();
    if (this.#logs.epoch === undefined) {
      this.#isFirst = true;
      this.#logs.seenAt = answer.now;
    }
    this.#logs.epoch = answer.epoch;
    this.#takeIn(answer);
    this.#setListing(answer.more ? (this.#listing ?? answer.cursor) : null, answer.cursor);
  }

  #setListing(listing: string | null, cursor: string): void {
    this.#listing = listing;
    if (listing !== null) return;
    this.#isFirst = false;
    // An earlier cursor of this client comes first: the changes in between are not announced yet.
    this.#cursor ??= cursor;
  }

  /** Takes one page more of an incomplete walk. */
  async #takeNext(signal: AbortSignal): Promise<void> {
    if (this.#isBehind && this.#cursor !== undefined) {
      await this.#takeChanges(this.#cursor, signal);
    } else if (typeof this.#listing === "string") {
      const answer = await this.#follow(this.#listing, 0, signal);
      if (answer !== null) this.#setListing(answer.more ? answer.cursor : null, answer.cursor);
    }
  }

  async #goOn(): Promise<void> {
    const { signal } = this.#logs.filler;
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
    const known = this.#logs.epoch;
    return reset === true || (known !== undefined && known !== epoch);
  }

  /** Forgets everything: the store has another history. */
  #replace(): void {
    this.#logs.clear();
    this.#cursor = undefined;
    this.#isBehind = false;
    this.#listing = undefined;
    this.#options.dispatch({ type: "replaced" });
  }

  #takeIn({ conversations }: SyncResponse): void {
    const { dispatch } = this.#options;
    for (const item of conversations) {
      for (const event of item.events) dispatch({ type: "arrived", event });
      this.#logs.take(item, this.#isFirst);
      dispatch({ type: "state", state: item.state });
    }
    dispatch({ type: "answered" });
  }

  /** Tries until it succeeds, or until the connection is gone. */
  async #insist(run: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const { clock, backoff } = this.#options;
    const { signal } = this.#logs.filler;
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
}
