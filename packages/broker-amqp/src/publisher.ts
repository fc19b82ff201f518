import type { Log } from "@chat21/engine";
import { ChatError, limits } from "@chat21/protocol";
import type { ChannelModel, ConfirmChannel, Message, Options } from "amqplib";
import type { Timers } from "./timers.ts";
import { Unconfirmed } from "./unconfirmed.ts";

/** Bounds of a {@link Publisher}. */
export const publisherLimits = {
  /** Publishes that wait for their confirm, beyond which no batch is taken. */
  unconfirmed: 50_000,
  /** Bytes of payload that wait for their confirm, beyond which no batch is taken. */
  unconfirmedBytes: 64 * 1024 * 1024,
  /** How often a publish that the broker refuses (nack) is repeated. */
  nackRepeats: 5,
  /** Pause before such a repeat, milliseconds. */
  nackPauseMs: 100,
} as const;

/** Kept in the memory of the broker: for messages that a store holds anyway. */
export const transient: Options.Publish = Object.freeze({ deliveryMode: 1 });

/** Written to the broker's disk before it is confirmed. */
export const persistent: Options.Publish = Object.freeze({ deliveryMode: 2 });

/** One message to publish. */
export interface Publication {
  /** Empty: the routing key is a queue's name. */
  readonly exchange: string;
  /** At most 255 bytes. */
  readonly routingKey: string;
  readonly content: Buffer;
  readonly options: Options.Publish;
  /** Called before the confirm when no queue takes it. The `messageId` of two such publishes under way must differ. */
  readonly onReturned?: () => void;
}

interface Batch {
  left: number;
  readonly resolve: () => void;
  readonly reject: (error: ChatError) => void;
}

interface Pending {
  readonly publication: Publication;
  readonly batch: Batch;
  nacks: number;
  /** Names the message to the broker, when the broker must say whether a queue took it. */
  messageId: string | undefined;
}

/** Options of {@link Publisher}. */
export interface PublisherOptions {
  readonly log: Log;
  readonly timers: Timers;
  /** @default {@link publisherLimits} */
  readonly bounds?: { readonly unconfirmed: number; readonly unconfirmedBytes: number };
  /** The channel was closed by the broker: the connection is to be made again. */
  readonly onBroken: (error: Error) => void;
}

/**
 * Publishes in the order of the calls, each message at least once. The next publish does not wait for confirms.
 * Messages that are not confirmed when the connection is lost are published again, in order, on the next one. A message
 * that the broker refuses is repeated after those that were sent meanwhile.
 */
export class Publisher {
  readonly #options: PublisherOptions;
  readonly #pending = new Unconfirmed<Pending>();
  readonly #returnable = new Map<string, () => void>();
  #channel: ConfirmChannel | undefined;
  #isHeld = false;
  #isClosed = false;
  #bytes = 0;
  #mandatories = 0;
  /** Refused, and waiting to be repeated. */
  #resting = 0;
  #idle: (() => void)[] = [];

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  /** How many are not confirmed. */
  get unconfirmed(): number {
    return this.#pending.size + this.#resting;
  }

  /**
   * Resolves when the broker has confirmed all. Rejects with `connection_lost` when too many wait already (nothing is
   * published then), or when the broker keeps refusing one; with `shutting_down` once closed; with `bad_request` for a
   * routing key that is too long.
   */
  publish(publications: readonly Publication[]): Promise<void> {
    const refusal = this.#refusal(publications);
    if (refusal !== null) return Promise.reject(refusal);
    if (publications.length === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const batch: Batch = { left: publications.length, resolve, reject };
      for (const publication of publications) {
        this.#bytes += publication.content.length;
        this.#pending.add({ publication, batch, nacks: 0, messageId: undefined });
      }
      this.#flush();
    });
  }

  /** Takes a fresh connection, and first publishes the messages that the last one left unconfirmed. */
  async open(connection: ChannelModel): Promise<void> {
    const channel = await connection.createConfirmChannel();
    channel.on("ack", ({ deliveryTag, multiple }) => this.#acked(channel, deliveryTag, multiple));
    channel.on("nack", ({ deliveryTag, multiple }) => this.#nacked(channel, deliveryTag, multiple));
    channel.on("return", (message) => this.#returned(message));
    channel.on("error", (error) => this.#options.onBroken(error));
    channel.on("close", () => this.#closed(channel));
    this.#channel = channel;
    this.#isHeld = false;
    this.#pending.rewind();
    this.#flush();
  }

  /** Sends nothing for now: the broker takes no publishes. */
  hold(isHeld: boolean): void {
    this.#isHeld = isHeld;
    if (!isHeld) this.#flush();
  }

  /** Resolves when nothing waits for a confirm. */
  drained(): Promise<void> {
    if (this.unconfirmed === 0) return Promise.resolve();
    return new Promise((resolve) => void this.#idle.push(resolve));
  }

  /** Takes nothing more; unconfirmed publishes are rejected with `shutting_down`. Idempotent. */
  close(): void {
    this.#isClosed = true;
    const error = new ChatError("shutting_down", "the process ends, and the broker has not confirmed");
    for (const { batch } of this.#pending.clear()) batch.reject(error);
    this.#bytes = 0;
    this.#wake();
  }

  #refusal(publications: readonly Publication[]): ChatError | null {
    if (this.#isClosed) return new ChatError("shutting_down");
    const { unconfirmed, unconfirmedBytes } = this.#options.bounds ?? publisherLimits;
    if (this.unconfirmed >= unconfirmed || this.#bytes >= unconfirmedBytes) {
      return new ChatError(
        "connection_lost",
        `the broker has not confirmed ${this.unconfirmed} publishes of ${this.#bytes} bytes`,
      );
    }
    const long = publications.find(({ routingKey }) => routingKey.length > limits.routingKeyBytes);
    if (long === undefined) return null;
    return new ChatError("bad_request", `a routing key has ${long.routingKey.length} characters`);
  }

  #flush(): void {
    while (this.#channel !== undefined && !this.#isHeld) {
      const next = this.#pending.send();
      if (next === undefined) return;
      this.#send(this.#channel, next);
    }
  }

  #send(channel: ConfirmChannel, pending: Pending): void {
    const { exchange, routingKey, content, onReturned } = pending.publication;
    const options = onReturned ? this.#mandatory(pending, onReturned) : pending.publication.options;
    try {
      channel.publish(exchange, routingKey, content, options);
    } catch (cause) {
      if ((cause as Error).name === "IllegalOperationError") {
        // The channel is closing; it comes back with the connection.
        this.#pending.putBack();
        this.#channel = undefined;
        return;
      }
      this.#pending.drop();
      this.#bytes -= content.length;
      pending.batch.reject(new ChatError("bad_request", "the driver cannot encode a publish", { cause }));
      this.#wake();
    }
  }

  #mandatory(pending: Pending, onReturned: () => void): Options.Publish {
    pending.messageId ??= pending.publication.options.messageId ?? String(++this.#mandatories);
    this.#returnable.set(pending.messageId, onReturned);
    return { ...pending.publication.options, mandatory: true, messageId: pending.messageId };
  }

  #returned({ properties }: Message): void {
    this.#returnable.get(String(properties.messageId))?.();
  }

  #acked(channel: ConfirmChannel, tag: number, multiple: boolean): void {
    if (channel !== this.#channel) return;
    for (const pending of this.#pending.settle(tag, multiple)) this.#confirm(pending);
    this.#wake();
  }

  #confirm({ publication, batch, messageId }: Pending): void {
    if (messageId !== undefined) this.#returnable.delete(messageId);
    this.#bytes -= publication.content.length;
    if (--batch.left === 0) batch.resolve();
  }

  /** The broker could not take these messages: one of their queues is out of order. */
  #nacked(channel: ConfirmChannel, tag: number, multiple: boolean): void {
    if (channel !== this.#channel) return;
    const refused = this.#pending.settle(tag, multiple);
    this.#options.log.warn({ publishes: refused.length }, "the broker refused publishes");
    const again: Pending[] = [];
    for (const pending of refused) {
      if (++pending.nacks <= publisherLimits.nackRepeats) again.push(pending);
      else this.#giveUp(pending);
    }
    this.#resting += again.length;
    this.#options.timers.after(publisherLimits.nackPauseMs, () => this.#repeat(again));
    this.#wake();
  }

  #giveUp({ publication, batch }: Pending): void {
    this.#bytes -= publication.content.length;
    batch.reject(new ChatError("connection_lost", "the broker keeps refusing a publish"));
  }

  #repeat(refused: readonly Pending[]): void {
    this.#resting -= refused.length;
    for (const pending of refused) {
      if (this.#isClosed) pending.batch.reject(new ChatError("shutting_down"));
      else this.#pending.add(pending);
    }
    this.#flush();
    this.#wake();
  }

  #closed(channel: ConfirmChannel): void {
    if (channel === this.#channel) this.#channel = undefined;
  }

  #wake(): void {
    if (this.unconfirmed > 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }
}
