import type { Mark } from "@chat21/protocol";
import { ChatError, clientLimits } from "@chat21/protocol";
import type { Clock } from "../connection/clock.ts";

/** Settings of a {@link WatermarkQueue}. */
export interface WatermarkQueueOptions {
  readonly clock: Clock;
  /** Tells the server; resolves when the server has the watermarks. */
  send(marks: readonly Mark[]): Promise<void>;
  /** Called when the server refuses a watermark for good; it is not tried again. */
  handleError(error: ChatError): void;
}

const restMs = 1_000;

/**
 * Tells the server how far messages were delivered and read: at once, then at most once a second, up to 100
 * conversations at a time. Watermarks of one conversation are merged. Watermarks that could not be sent are sent later.
 */
export class WatermarkQueue {
  readonly #options: WatermarkQueueOptions;
  readonly #waiting = new Map<string, Mark>();
  /** Watermarks that the server refused together: each is tried alone, to find the wrong one. */
  #alone = 0;
  #online = false;
  #busy = false;
  #resting = false;
  #idle: (() => void)[] = [];

  constructor(options: WatermarkQueueOptions) {
    this.#options = options;
  }

  add(mark: Mark): void {
    this.#merge(mark);
    void this.#send();
  }

  setOnline(online: boolean): void {
    this.#online = online;
    void this.#send();
  }

  /** Resolves when the server has all watermarks. */
  async flush(): Promise<void> {
    while (this.#busy || this.#waiting.size > 0)
      await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  async #send(): Promise<void> {
    if (!this.#online || this.#busy || this.#resting || this.#waiting.size === 0) return;
    this.#busy = true;
    const marks = [...this.#waiting.values()].slice(0, this.#alone > 0 ? 1 : clientLimits.marks);
    for (const { conversWith } of marks) this.#waiting.delete(conversWith);
    const failure = await this.#options.send(marks).then(() => null, ChatError.fromUnknown);
    this.#alone = Math.max(0, this.#alone - 1);
    if (failure !== null) this.#handleFailure(failure, marks);
    this.#busy = false;
    this.#rest(failure?.retryAfterMs ?? restMs);
    for (const resolve of this.#idle.splice(0)) resolve();
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
    for (const mark of [...marks, ...later]) this.#merge(mark);
  }

  #rest(forMs: number): void {
    this.#resting = true;
    this.#options.clock.after(forMs, () => {
      this.#resting = false;
      void this.#send();
    });
  }

  #merge(mark: Mark): void {
    const { conversWith } = mark;
    const waiting = this.#waiting.get(conversWith);
    const delivered = furthest(waiting?.delivered, mark.delivered);
    const read = furthest(waiting?.read, mark.read);
    this.#waiting.set(conversWith, {
      conversWith,
      ...(delivered === undefined ? {} : { delivered }),
      ...(read === undefined ? {} : { read }),
    });
  }
}

function furthest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.max(a, b);
}
