import { Duplex } from "node:stream";
import type { Log } from "@chat21/engine";
import { ChatError } from "@chat21/protocol";
import { type ChannelModel, connect } from "amqplib";
import type { BrokerAddress } from "./broker-address.ts";
import { type BrokerCapabilities, capabilitiesOf } from "./broker-capabilities.ts";
import { reconnectDelayMs } from "./reconnect-delay.ts";
import { settlesWithin, type Timers } from "./timers.ts";

/** `blocked`: up, but the broker takes no publishes because its memory or disk runs out. */
export type LinkState = "up" | "down" | "blocked";

/** Options of {@link AmqpLink}. */
export interface AmqpLinkOptions {
  readonly address: BrokerAddress;
  /** Shown by the broker's management. */
  readonly name: string;
  readonly log: Log;
  readonly timers: Timers;
  /** Puts a fresh connection to use; the link is up when it resolves, and tries again when it rejects. */
  readonly onUp: (connection: ChannelModel) => Promise<void>;
  /** After every change of state. */
  readonly onChange: (state: LinkState) => void;
}

/** How long one attempt may take. */
const attemptTimeoutMs = 5_000;

/** Errors that no further attempt cures: refused, other properties, an exchange type that is missing, not allowed. */
const final = /\b(?:403|406|503|530) \(/;

/**
 * One connection to the broker, made again after every loss until it is closed. It does not know what it is used for.
 * amqplib's own recovery is not used: it opens channels again by itself, each at its own time, and rejects unconfirmed
 * publishes. Here `onUp` alone restores everything that must keep its order, in order.
 */
export class AmqpLink {
  readonly #options: AmqpLinkOptions;
  #connection: ChannelModel | undefined;
  #capabilities: BrokerCapabilities | undefined;
  #state: LinkState = "down";
  #attempts = 0;
  #isWanted = true;
  #isBlocked = false;
  #cancelRetry: (() => void) | undefined;
  #lastError: unknown;

  constructor(options: AmqpLinkOptions) {
    this.#options = options;
  }

  get state(): LinkState {
    return this.#state;
  }

  /** Of the broker to which the link was up last. */
  get capabilities(): BrokerCapabilities | undefined {
    return this.#capabilities;
  }

  /**
   * Connects for the first time: tries for `timeoutMs`, then rejects with `connection_lost`; at once when the broker
   * refuses, or when `onUp` throws a `ChatError` that is not retryable. Afterwards the link looks after itself.
   */
  async connect(timeoutMs: number): Promise<void> {
    const { address, timers, log, name } = this.#options;
    const until = timers.now() + timeoutMs;
    for (;;) {
      try {
        return await this.#attempt();
      } catch (cause) {
        if (cause instanceof ChatError && !cause.retryable) throw cause;
        const text = (cause as Error).message;
        if (final.test(text) || timers.now() >= until || !this.#isWanted) {
          throw new ChatError("connection_lost", `no use of the broker at ${address.shown}: ${text}`, {
            cause,
          });
        }
        const delayMs = reconnectDelayMs(++this.#attempts, Math.random());
        log.warn(
          { broker: address.shown, link: name, error: text },
          "the broker does not answer, trying again",
        );
        await new Promise<void>((resolve) => void timers.after(delayMs, resolve));
      }
    }
  }

  /** Ends the connection at once, without a word, and makes it again. */
  fail(error: unknown): void {
    this.#lastError = error;
    if (this.#connection !== undefined) destroySocket(this.#connection);
  }

  /** Closes for good; waits for the broker's answer, at most `timeoutMs`. Idempotent. */
  async close(timeoutMs: number): Promise<void> {
    this.#isWanted = false;
    this.#cancelRetry?.();
    const connection = this.#connection;
    if (connection === undefined) return;
    // Throws when it is closing already.
    const closing = Promise.resolve().then(() => connection.close());
    await settlesWithin(this.#options.timers, closing, timeoutMs);
    destroySocket(connection);
  }

  async #attempt(): Promise<void> {
    const { address, name, onUp, log } = this.#options;
    const connection = await connect(address.uri, {
      noDelay: true,
      timeout: attemptTimeoutMs,
      clientProperties: { connection_name: name },
    });
    this.#connection = connection;
    this.#isBlocked = false;
    this.#watch(connection);
    try {
      this.#capabilities = capabilitiesOf(connection.connection.serverProperties);
      await onUp(connection);
      if (this.#connection !== connection || !this.#isWanted)
        throw this.#lastError ?? new Error("closed meanwhile");
    } catch (error) {
      if (this.#connection === connection) this.#connection = undefined;
      destroySocket(connection);
      throw error;
    }
    this.#attempts = 0;
    log.info(
      { broker: address.shown, link: name, version: this.#capabilities.version },
      "connected to the broker",
    );
    this.#enter(this.#isBlocked ? "blocked" : "up");
  }

  #watch(connection: ChannelModel): void {
    const { log, name } = this.#options;
    connection.on("error", (error) => {
      this.#lastError = error;
    });
    connection.on("close", (error) => this.#lost(connection, error ?? this.#lastError));
    connection.on("blocked", (reason) => {
      log.warn({ link: name, reason }, "the broker takes no publishes");
      this.#setBlocked(connection, true);
    });
    connection.on("unblocked", () => {
      log.info({ link: name }, "the broker takes publishes again");
      this.#setBlocked(connection, false);
    });
    // An exception of a listener is amqplib's to catch: without this it would be lost.
    connection.on("handler-error", (error) =>
      log.error({ link: name, error: error.message }, "a listener failed"),
    );
  }

  #setBlocked(connection: ChannelModel, isBlocked: boolean): void {
    if (this.#connection !== connection) return;
    this.#isBlocked = isBlocked;
    // Not before `onUp` has resolved.
    if (this.#state !== "down") this.#enter(isBlocked ? "blocked" : "up");
  }

  #lost(connection: ChannelModel, error: unknown): void {
    if (this.#connection !== connection) return;
    this.#connection = undefined;
    // `onUp` is still running: the attempt itself fails.
    if (this.#state === "down") return;
    this.#enter("down");
    if (!this.#isWanted) return;
    const { log, name, address } = this.#options;
    log.warn({ link: name, broker: address.shown, error: messageOf(error) }, "lost the broker, reconnecting");
    this.#retryLater();
  }

  #retryLater(): void {
    const { timers, log, name, address } = this.#options;
    const delayMs = reconnectDelayMs(++this.#attempts, Math.random());
    this.#cancelRetry = timers.after(delayMs, () => {
      this.#attempt().catch((error: unknown) => {
        if (!this.#isWanted) return;
        log.warn(
          { link: name, broker: address.shown, error: messageOf(error) },
          "the broker is still not there",
        );
        this.#retryLater();
      });
    });
  }

  #enter(state: LinkState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#options.onChange(state);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : "closed";
}

/** A peer that hangs answers no close; amqplib would wait for it, and has no other way to end a connection at once. */
function destroySocket(connection: ChannelModel): void {
  const { stream } = connection.connection as { readonly stream?: unknown };
  // Only an error makes it tell its channels.
  if (stream instanceof Duplex) stream.destroy(new Error("the connection was given up"));
}
