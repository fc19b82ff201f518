import type { SyncRequest, SyncResponse } from "@chat21/protocol";
import type { SyncSource } from "../sync/sync-source.ts";
import type { Clock } from "./clock.ts";

/** The server's clock, as its answers tell it: a device's own may be hours off. */
export class ServerClock {
  readonly #source: Pick<SyncSource, "sync">;
  readonly #clock: Clock;
  #skewMs = 0;

  constructor(source: Pick<SyncSource, "sync">, clock: Clock) {
    this.#source = source;
    this.#clock = clock;
  }

  /** Milliseconds; this device's own time before the first answer. */
  now(): number {
    return this.#clock.now() + this.#skewMs;
  }

  /** Reads the clock in passing. */
  async sync(request: SyncRequest, signal: AbortSignal): Promise<SyncResponse> {
    const response = await this.#source.sync(request, signal);
    this.#skewMs = response.now - this.#clock.now();
    return response;
  }
}
