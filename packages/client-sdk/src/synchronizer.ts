import type { ConversationEvent, HistoryResponse, SyncItem } from "@chat21/protocol";
import { ChatError, limits } from "@chat21/protocol";
import type { Backoff } from "./backoff.ts";
import { discover, isMerelyBehind } from "./catch-up.ts";
import type { Clock } from "./clock.ts";
import { delay } from "./clock.ts";
import { GapFiller } from "./gap-filler.ts";
import type { Positions, SyncSink, SyncSource } from "./sync-ports.ts";
import type { Answered, Gap, Timeline } from "./timeline.ts";
import { topRange } from "./timeline.ts";
import { Timelines } from "./timelines.ts";

/** What a synchronizer needs. */
export interface SynchronizerOptions {
  readonly user: string;
  readonly source: SyncSource;
  readonly sink: SyncSink;
  readonly clock: Clock;
  readonly backoff: Backoff;
  /** Missed events of one conversation that are still fetched one by one. */
  readonly maxCatchUp: number;
  /** Events of one answer, at most. @default what the server takes for it */
  readonly pageEvents?: number;
}

/** How an answer of sync is to be taken. */
interface Comparison {
  /** Nothing was known before. */
  readonly first: boolean;
  /** The server has another store than the one the positions were read from. */
  readonly replaced: boolean;
  readonly asked: Positions["positions"];
  readonly signal: AbortSignal;
}

const firstSyncEvents = 30;
const everything = Number.POSITIVE_INFINITY;

/**
 * Brings what arrives live and what the server answers into one order per conversation: by `seq`, without a gap and
 * without a repeat. Numbers that an answer covers are never asked for again.
 */
export class Synchronizer {
  readonly #options: SynchronizerOptions;
  readonly #filler: GapFiller;
  readonly #pageEvents: number;
  readonly #timelines: Timelines;
  #epoch: string | undefined;
  #checkedAt = 0;
  /** Live events that wait for the answer of a catch-up, or belong to an epoch that is not known yet. */
  #buffer: ConversationEvent[] = [];
  #holding = false;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: SynchronizerOptions) {
    this.#options = options;
    this.#pageEvents = options.pageEvents ?? limits.listDefault;
    this.#timelines = new Timelines(options.user);
    this.#filler = new GapFiller({
      clock: options.clock,
      backoff: options.backoff,
      ask: (conversWith, timeline, gap, signal) => this.#ask(conversWith, timeline, gap, signal),
      giveUp: (conversWith, timeline, gap) => this.#giveUp(conversWith, timeline, gap),
    });
  }

  /** Of the store that the positions belong to; `undefined` before the first catch-up. */
  get epoch(): string | undefined {
    return this.#epoch;
  }

  load(positions: Positions): void {
    this.#epoch = positions.epoch;
    this.#checkedAt = positions.checkedAt;
    this.#timelines.load(positions);
  }

  /** `undefined` before the first catch-up. */
  snapshot(): Positions | undefined {
    if (this.#epoch === undefined) return undefined;
    return { epoch: this.#epoch, checkedAt: this.#checkedAt, positions: this.#timelines.positions() };
  }

  timeline(conversWith: string): Timeline | undefined {
    return this.#timelines.get(conversWith);
  }

  /** Takes in a conversation that the server's list did not have, from a page of its history. */
  adopt(conversWith: string, answer: HistoryResponse): void {
    const timeline = this.#timelines.of(conversWith, this.#checkedAt);
    if (timeline.position > 0 || answer.epoch !== this.#epoch || topRange(answer) === undefined) return;
    timeline.begin(answer);
    timeline.makeHistory(timeline.head);
    this.#settle(conversWith, timeline, "sync");
  }

  /** Live events are held back until {@link catchUp} is through. Call it before a new subscription begins. */
  hold(): void {
    this.#holding = true;
  }

  /** No connection: stops asking. What is held back stays until the next {@link catchUp}. */
  pause(): void {
    this.#filler.stop();
  }

  /** Compares all positions with the server; rejects when that fails. Runs are one after the other. */
  catchUp(signal: AbortSignal): Promise<void> {
    const run = this.#turn.then(async () => {
      while (!(await this.#compare(signal)));
      this.#holding = false;
      this.#filler.start();
      this.#drain();
    });
    this.#turn = run.catch(() => undefined);
    return run;
  }

  handleLive(event: ConversationEvent): void {
    this.#options.sink.handleArrival(event);
    if (this.#holding || event.epoch !== this.#epoch) {
      this.#buffer.push(event);
      void this.#recheck();
      return;
    }
    const timeline = this.#timelines.of(event.conversWith, this.#checkedAt);
    if (timeline.offer(event)) this.#settle(event.conversWith, timeline, "live");
  }

  /** One comparison. `false`: live events moved meanwhile what the server wants to begin anew; compare once more. */
  async #compare(signal: AbortSignal): Promise<boolean> {
    const { source, sink } = this.#options;
    const epoch = this.#epoch;
    const first = epoch === undefined;
    const asked = this.#timelines.positions(limits.syncConversations);
    const request = {
      positions: asked,
      limit: first ? Math.min(firstSyncEvents, this.#pageEvents) : this.#pageEvents,
    };
    sink.handleComparison();
    const response = await source.sync(first ? request : { ...request, epoch }, signal);
    const replaced = !first && response.epoch !== epoch;
    this.#epoch = response.epoch;
    for (const item of response.conversations) {
      for (const event of item.result === "same" ? [] : item.events) sink.handleArrival(event);
      if (await this.#apply(item, { first, replaced, asked, signal })) continue;
      this.#holding = true;
      return false;
    }
    if (replaced) this.#dropOthers(new Set(response.conversations.map(({ state }) => state.conversWith)));
    this.#checkedAt = response.now;
    for (const { state } of response.conversations) sink.handleState(state);
    return true;
  }

  async #apply(item: SyncItem, comparison: Comparison): Promise<boolean> {
    const { first, replaced, asked } = comparison;
    const { conversWith, head } = item.state;
    const answered: Answered = item.result === "same" ? { covered: [], events: [] } : item;
    const timeline = this.#timelines.of(conversWith, this.#checkedAt);
    const known = timeline.position > 0;
    const position = asked[conversWith]?.seq;
    const anew = first || replaced || (item.result === "reset" && position !== undefined);
    if (anew && !(await this.#isMerelyBehind(timeline, item, comparison))) {
      if (known && !replaced && timeline.position !== position) return false;
      timeline.restart(answered, head, { keepWaiting: !replaced });
      this.#options.sink.handleRestart(conversWith, answered.events, known);
    } else if (item.result === "same") {
      if (known) timeline.accept({ covered: [[(position ?? head) + 1, head]], events: [] });
      else timeline.restart(answered, head, { keepWaiting: true });
    } else if (known) {
      timeline.accept(answered);
    } else {
      const { kind, delivered, read } = item.state;
      // In groups, delivery is not reported.
      this.#discover(
        conversWith,
        timeline,
        answered,
        kind === "direct" ? Math.max(delivered, read) : everything,
      );
    }
    timeline.raiseHead(head);
    this.#settle(conversWith, timeline, "sync");
    return true;
  }

  async #isMerelyBehind(timeline: Timeline, item: SyncItem, comparison: Comparison): Promise<boolean> {
    if (comparison.first || comparison.replaced) return false;
    const { source, maxCatchUp } = this.#options;
    const epoch = this.#epoch ?? "";
    const { signal } = comparison;
    return isMerelyBehind(timeline, item, {
      source,
      signal,
      epoch,
      pageEvents: this.#pageEvents,
      maxCatchUp,
    });
  }

  #discover(conversWith: string, timeline: Timeline, answered: Answered, delivered: number): void {
    if (discover(timeline, answered, delivered, this.#options.maxCatchUp)) return;
    this.#options.sink.handleRestart(conversWith, [], true);
  }

  /** Hands on what is in order, and asks for what is missing. */
  #settle(conversWith: string, timeline: Timeline, origin: "live" | "sync"): void {
    const events = timeline.release().map((event) => ({ event, fresh: event.seq > timeline.historyUpTo }));
    if (events.length > 0) {
      this.#timelines.use(conversWith, timeline);
      this.#options.sink.handleReleased(conversWith, events, origin);
    }
    if (timeline.gap() === null || this.#holding) return;
    void this.#filler.fill(conversWith, timeline, origin === "live" && timeline.position > 0);
  }

  #drain(): void {
    const buffered = this.#buffer;
    this.#buffer = [];
    for (const event of buffered) {
      if (event.epoch === this.#epoch) this.#timelines.of(event.conversWith, this.#checkedAt).offer(event);
    }
    for (const [conversWith, timeline] of this.#timelines.entries())
      this.#settle(conversWith, timeline, "live");
  }

  async #ask(conversWith: string, timeline: Timeline, gap: Gap, signal: AbortSignal): Promise<void> {
    const { source, sink } = this.#options;
    const unknown = timeline.position === 0;
    const range = unknown && gap.before !== undefined ? { before: gap.before } : gap;
    const answer = await source.events(conversWith, { ...range, limit: this.#pageEvents }, signal);
    if (answer.epoch !== this.#epoch) {
      void this.#recheck();
      throw new ChatError("store_unavailable", "the server's store was replaced");
    }
    for (const event of answer.events) sink.handleArrival(event);
    if (unknown && timeline.position === 0 && topRange(answer) !== undefined) {
      this.#discover(conversWith, timeline, answer, everything);
    } else {
      timeline.accept(answer);
    }
    this.#settle(conversWith, timeline, "sync");
  }

  #giveUp(conversWith: string, timeline: Timeline, gap: Gap): void {
    const text = `the server does not explain the numbers of ${conversWith} after ${gap.after}`;
    this.#options.sink.handleError(new ChatError("internal", text));
    timeline.giveUp(gap);
    this.#settle(conversWith, timeline, "live");
  }

  /** Another epoch was seen: nothing is handed on until the positions were compared. */
  async #recheck(): Promise<void> {
    const { clock, backoff } = this.#options;
    const { signal } = this.#filler;
    if (signal === undefined || this.#holding) return;
    this.#holding = true;
    for (let attempt = 1; !signal.aborted; attempt++) {
      const failure = await this.catchUp(signal).then(() => null, ChatError.fromUnknown);
      if (failure === null) return;
      await delay(clock, backoff(attempt), signal);
    }
  }

  #dropOthers(answered: ReadonlySet<string>): void {
    for (const [conversWith] of this.#timelines.entries()) {
      if (answered.has(conversWith)) continue;
      this.#timelines.delete(conversWith);
      this.#options.sink.handleGone(conversWith);
    }
  }
}
