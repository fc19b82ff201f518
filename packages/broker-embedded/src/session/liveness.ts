import { sweepEveryMs } from "./sweep.ts";

/**
 * Tells whether a client has been silent for too long: it knows when the client last sent bytes, and its keep-alive.
 */
export class Liveness {
  readonly #clock: SweepClock;
  #heardAtMs: number;
  #keepAliveMs = 0;

  constructor(clock: SweepClock) {
    this.#clock = clock;
    this.#heardAtMs = clock.nowMs;
  }

  /** Sets the keep-alive. 0: the client need not send anything. */
  promise(keepAliveSeconds: number): void {
    this.#keepAliveMs = keepAliveSeconds * 1_000;
  }

  hear(): void {
    this.#heardAtMs = this.#clock.nowMs;
  }

  /** Says whether the keep-alive is broken. */
  isOverdue(): boolean {
    return this.#keepAliveMs > 0 && this.isSilentFor(this.#keepAliveMs * keepAliveFactor);
  }

  /** Says whether the client sent nothing for more than `durationMs`. May be late, never early. */
  isSilentFor(durationMs: number): boolean {
    // The clock moves in steps, so its last reading may be one step behind the real time.
    return this.#clock.nowMs - this.#heardAtMs - sweepEveryMs > durationMs;
  }
}

/** A clock that moves with every sweep. */
export interface SweepClock {
  /** Milliseconds. */
  readonly nowMs: number;
}

/** MQTT allows one and a half times the keep-alive ([MQTT-3.1.2-24]). */
const keepAliveFactor = 1.5;
