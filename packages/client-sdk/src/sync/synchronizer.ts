import type { ConversationEvent, HistoryResponse, SyncRequest, SyncResponse } from "@chat21/protocol";
import { ChatError, limits } from "@chat21/protocol";
import { delay } from "../connection/clock.ts";
import type { LogsOptions } from "./logs.ts";
import { Logs } from "./logs.ts";
import type { Positions } from "./positions.ts";

/** What a synchronizer is made of. */
export interface SynchronizerOptions extends Omit<LogsOptions, "handleOtherEpoch" | "pageEvents"> {
  /** Events of one conversation in one answer, at most. @default what the server takes for it */
  readonly pageEvents?: number;
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
  readonly #logs: Logs;
  readonly #pageEvents: number;
  /** What is listed was there before this user signed in on this device: all of it is history. */
  #isFirst = false;
  #cursor: string | undefined;
  /** There are further pages behind the cursor. */
  #isBehind = false;
  /** Where the list goes on; `undefined`: it has not begun, `null`: it is through. */
  #listing: string | null | undefined;
  /** Live events that wait for the answer of a catch-up, or belong to an epoch that is not known yet. */
  readonly #buffer: ConversationEvent[] = [];
  #turn: Promise<unknown> = Promise.resolve();
  /** Until when pages are asked for in the background. */
  #background: AbortSignal | undefined;
  #isCheckWanted = false;

  constructor(options: SynchronizerOptions) {
    this.#options = options;
    this.#pageEvents = options.pageEvents ?? limits.listDefault;
    this.#logs = new Logs({
      ...options,
      pageEvents: this.#pageEvents,
      handleOtherEpoch: () => this.check(),
    });
  }

  /** Of the store that the positions belong to; `undefined` before the first catch-up. */
  get epoch(): string | undefined {
    return this.#logs.epoch;
  }

  load({ cursor, ...positions }: Positions): void {
    this.#logs.load(positions);
    if (cursor !== undefined && cursor.length <= limits.cursorCharacters) this.#cursor = cursor;
  }

  /** `undefined` before the first catch-up. */
  snapshot(): Positions | undefined {
    const cursor = this.#cursor;
    const positions = this.#logs.snapshot();
    return positions && { ...positions, ...(cursor === undefined ? {} : { cursor }) };
  }

  /** Takes in a conversation that is not listed yet, from a page of its history. */
  adopt(conversWith: string, answer: HistoryResponse): void {
    this.#logs.adopt(conversWith, answer);
  }

  /** Live events are held back until {@link catchUp} is through. Call it before a new subscription begins. */
  hold(): void {
    this.#logs.isHolding = true;
  }

  /** No connection: stops asking. What is held back stays until the next {@link catchUp}. */
  pause(): void {
    this.#logs.filler.stop();
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
      this.#logs.isHolding = false;
      this.#logs.filler.start();
      this.#logs.takeLive(this.#buffer.splice(0));
      void this.#goOn();
    });
  }

  /** Something has changed that only the server can tell: asks, unless offline. Calls are joined. */
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
    // Nothing is handed on until it is known what the server holds now.
    this.#logs.isHolding = true;
    void this.#insist((signal) => this.catchUp(signal));
  }

  /** One page of what has changed since the cursor. `false`: the server has another history, and its list has begun. */
  async #takeChanges(cursor: string, signal: AbortSignal): Promise<boolean> {
    const answer = await this.#follow(cursor, this.#pageEvents, signal);
    if (answer === null) return false;
    this.#cursor = answer.cursor;
    this.#isBehind = answer.more;
    if (!answer.more) this.#logs.seenAt = answer.now - clockToleranceMs;
    return true;
  }

  /** The newest page of the list; the rest is for the background. */
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

  /** The store has another history: nothing that is known of the old one counts. */
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
