import type { Mark } from "@chat21/protocol";
import { ChatError, clientLimits } from "@chat21/protocol";
import type { Clock } from "../connection/clock.ts";
import { MarkKeeper, type MarksRecord } from "./mark-keeper.ts";
import type { RecordStore } from "./record-store.ts";

/** Settings of a {@link WatermarkQueue}. */
export interface WatermarkQueueOptions {
  readonly clock: Clock;
  readonly store: RecordStore<MarksRecord>;
  /** Epoch of the known store; `undefined` before the first catch-up of a client without positions. */
  epoch(): string | undefined;
  /** Tells the server; resolves when the server has the watermarks. */
  send(marks: readonly Mark[]): Promise<void>;
  /** Called with each read watermark of an earlier run. */
  handleLoaded(conversWith: string, read: number): void;
  /** Called when the server refuses a watermark for good; it is not tried again. Also when the storage fails. */
  handleError(error: ChatError): void;
}

const restMs = 1_000;

/**
 * Tells the server how far messages were delivered and read: at once, then at most once a second, up to 100
 * conversations at a time. Watermarks of one conversation are merged. Watermarks that could not be sent are sent later,
 * also by a later run: until the server confirms them they are in the storage. A read one is written at once; a delivered one
 * at the latest when {@link keep} is called: a message whose position is not kept is delivered again.
 */
export class WatermarkQueue {
  readonly #options: WatermarkQueueOptions;
  readonly #keeper: MarkKeeper;
  readonly #waiting = new Map<string, Mark>();
  /** Watermarks on their way to the server. */
  readonly #sent = new Set<readonly Mark[]>();
  /** Watermarks that the server refused together: each is tried alone, to find the wrong one. */
  #alone = 0;
  #online = false;
  #closed = false;
  /** Pauses that are not over yet. */
  #rests = 0;
  #waiters: (() => void)[] = [];

  constructor(options: WatermarkQueueOptions) {
    this.#options = options;
    const { store, epoch, handleError } = options;
    this.#keeper = new MarkKeeper({ store, epoch, handleError, snapshot: () => this.#unconfirmed() });
  }

  /** Reads what earlier runs have left. */
  async load(): Promise<void> {
    await this.#keeper.load();
    this.takeOver();
  }

  /** Takes over what earlier runs have left, as soon as the server's epoch is known. */
  takeOver(): void {
    const marks = this.#keeper.takeOver();
    if (marks.length === 0) return;
    for (const mark of marks) {
      merge(this.#waiting, mark);
      if (mark.read !== undefined) this.#options.handleLoaded(mark.conversWith, mark.read);
    }
    void this.keep();
    this.#send();
  }

  /** Moves watermarks; no effect after {@link close}. */
  add(mark: Mark): void {
    if (this.#closed) return;
    merge(this.#waiting, mark);
    if (mark.read !== undefined) void this.keep();
    this.#send();
  }

  setOnline(online: boolean): void {
    this.#online = online;
    this.#send();
  }

  /**
   * Sends what waits in this turn, without the pause: perhaps there is no later moment. Resolves when nothing is on its
   * way: the server has answered, or the connection is lost.
   */
  async hurry(): Promise<void> {
    while (this.#online && this.#waiting.size > 0) this.#sendNext(clientLimits.marks);
    while (this.#sent.size > 0) await this.#change();
  }

  /** Forgets all watermarks: the server has another history. */
  forget(): void {
    this.#waiting.clear();
    this.#sent.clear();
    void this.keep();
  }

  /** Resolves when the server has all watermarks. */
  async flush(): Promise<void> {
    while (this.#sent.size > 0 || this.#waiting.size > 0) await this.#change();
    await this.keep();
  }

  /** Resolves when the storage has all watermarks that the server has not confirmed. */
  keep(): Promise<void> {
    return this.#keeper.flush();
  }

  /** Sends what waits, and takes nothing more. What is not confirmed stays in the storage. */
  close(): void {
    void this.hurry();
    this.#closed = true;
  }

  #send(): void {
    if (!this.#online || this.#closed || this.#rests > 0) return;
    if (this.#sent.size > 0 || this.#waiting.size === 0) return;
    this.#sendNext(this.#alone > 0 ? 1 : clientLimits.marks);
  }

  #sendNext(most: number): void {
    const marks = [...this.#waiting.values()].slice(0, most);
    for (const { conversWith } of marks) this.#waiting.delete(conversWith);
    this.#sent.add(marks);
    void this.#follow(marks);
  }

  async #follow(marks: readonly Mark[]): Promise<void> {
    const failure = await this.#options.send(marks).then(() => null, ChatError.fromUnknown);
    this.#alone = Math.max(0, this.#alone - 1);
    const isForgotten = !this.#sent.delete(marks);
    if (failure !== null && !isForgotten) this.#handleFailure(failure, marks);
    void this.keep();
    this.#rest(failure?.retryAfterMs ?? restMs);
    for (const resolve of this.#waiters.splice(0)) resolve();
  }

  #handleFailure(failure: ChatError, marks: readonly Mark[]): void {
    if (!failure.retryable && marks.length === 1) {
      this.#options.handleError(failure);
      return;
    }
    if (!failure.retryable) this.#alone = marks.length;
    // In front of the newer ones, so that each is tried in its turn.
    const later = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const mark of [...marks, ...later]) merge(this.#waiting, mark);
  }

  /** Resolves when the server has answered next. */
  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  #rest(forMs: number): void {
    this.#rests += 1;
    this.#options.clock.after(forMs, () => {
      this.#rests -= 1;
      this.#send();
    });
  }

  #unconfirmed(): readonly Mark[] {
    const all = new Map<string, Mark>();
    for (const mark of [...[...this.#sent].flat(), ...this.#waiting.values()]) merge(all, mark);
    return [...all.values()];
  }
}

function merge(marks: Map<string, Mark>, { conversWith, ...mark }: Mark): void {
  const known = marks.get(conversWith);
  const delivered = furthest(known?.delivered, mark.delivered);
  const read = furthest(known?.read, mark.read);
  // Who saw the flag once takes it away. A record of an earlier version does not say: as there.
  const sawFlag = [known, mark].some((one) => one?.read !== undefined && one.markedUnread !== false);
  marks.set(conversWith, {
    conversWith,
    ...(delivered === undefined ? {} : { delivered }),
    ...(read === undefined ? {} : { read }),
    ...(read === undefined || sawFlag ? {} : { markedUnread: false }),
  });
}

function furthest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.max(a, b);
}
