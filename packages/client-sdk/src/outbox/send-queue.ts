import type { Backoff } from "../connection/backoff.ts";
import type { Clock } from "../connection/clock.ts";
import type { OutboxEntry } from "./outbox-entry.ts";

/** Delay before an unanswered message is sent again while online: 5 s, 10 s, 20 s … at most 60 s. */
export const resendBackoff: Backoff = (attempt) => Math.min(60_000, 5_000 * 2 ** Math.min(attempt - 1, 10));

/** Settings of a {@link SendQueue}. */
export interface SendQueueOptions {
  readonly clock: Clock;
  readonly window: number;
  /** Hands a message to the connection. */
  publish(entry: OutboxEntry): void;
  handleState(entry: OutboxEntry, state: "queued" | "sending"): void;
}

/**
 * The messages of one conversation on their way, in order. At most `window` are unanswered at once. When one is sent
 * again, all behind it are sent again, too.
 */
export class SendQueue {
  readonly entries: OutboxEntry[] = [];
  readonly #options: SendQueueOptions;
  #online = false;
  #attempt = 0;
  #stopTimer: (() => void) | undefined;
  #resting = false;

  constructor(options: SendQueueOptions) {
    this.#options = options;
  }

  setOnline(online: boolean): void {
    this.#online = online;
    this.#attempt = 0;
    this.#rest(null);
    for (const entry of this.#inFlight()) this.#options.handleState(entry, "queued");
    this.pump();
  }

  /**
   * Sends again after a new connection replaced the old one: unanswered messages may have been lost with the old one.
   */
  resend(): void {
    for (const entry of this.#inFlight()) this.#options.publish(entry);
  }

  /** Sends every message that may be sent. */
  pump(): void {
    if (!this.#online || this.#resting) return;
    let room = this.#options.window - this.#inFlight().length;
    for (const entry of this.entries) {
      if (entry.state !== "queued") continue;
      if (room <= 0 || !entry.persisted) break;
      room -= 1;
      this.#options.handleState(entry, "sending");
      this.#options.publish(entry);
    }
    this.#arm();
  }

  /** Removes an entry that is settled, failed or discarded. */
  remove(entry: OutboxEntry): void {
    const index = this.entries.indexOf(entry);
    if (index >= 0) this.entries.splice(index, 1);
    this.#attempt = 0;
    if (!this.#resting) this.#stop();
    this.pump();
  }

  /** Sends nothing more until the given time: the server cannot take the message now. */
  postpone(entry: OutboxEntry, retryAfterMs: number | undefined): void {
    this.#options.handleState(entry, "queued");
    this.#attempt += 1;
    this.#rest(retryAfterMs ?? resendBackoff(this.#attempt));
  }

  #inFlight(): OutboxEntry[] {
    return this.entries.filter(({ state }) => state === "sending");
  }

  #rest(forMs: number | null): void {
    this.#stop();
    this.#resting = forMs !== null;
    if (forMs === null) return;
    this.#stopTimer = this.#options.clock.after(forMs, () => {
      this.#stopTimer = undefined;
      this.#resting = false;
      this.pump();
    });
  }

  #arm(): void {
    if (this.#stopTimer !== undefined || this.#inFlight().length === 0) return;
    this.#stopTimer = this.#options.clock.after(resendBackoff(this.#attempt + 1), () => {
      this.#stopTimer = undefined;
      this.#attempt += 1;
      this.resend();
      this.#arm();
    });
  }

  #stop(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
  }
}
