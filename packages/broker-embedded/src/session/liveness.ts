import { sweepEveryMs } from "./sweep.ts";

/** A clock that moves with every sweep. */
export interface SweepClock {
  /** Milliseconds. */
  readonly nowMs: number;
}

/** MQTT's grace on top of the keep-alive ([MQTT-3.1.2-24]). */
const keepAliveFactor = 1.5;

/** When a client was last heard of, and how often it promised to be. */
export class Liveness {
  readonly #clock: SweepClock;
  #heardAtMs: number;
  #keepAliveMs = 0;

  constructor(clock: SweepClock) {
    this.#clock = clock;
    this.#heardAtMs = clock.nowMs;
  }

  /** 0: the client promises nothing. */
  promise(keepAliveSeconds: number): void {
    this.#keepAliveMs = keepAliveSeconds * 1_000;
  }

  hear(): void {
    this.#heardAtMs = this.#clock.nowMs;
  }

  /** Whether the promise is broken. */
  isOverdue(): boolean {
    return this.#keepAliveMs > 0 && this.isSilentFor(this.#keepAliveMs * keepAliveFactor);
  }

  /** Whether nothing was heard for more than `durationMs`; never early. */
  isSilentFor(durationMs: number): boolean {
    // The clock had stood still for up to one step when it was read.
    return this.#clock.nowMs - this.#heardAtMs - sweepEveryMs > durationMs;
  }
}
