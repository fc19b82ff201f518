import type { Log } from "@chat21/engine";
import type { Channel, ChannelModel, ConsumeMessage, Message } from "amqplib";
import { AckWindow } from "./ack-window.ts";
import { crashLimits, returnsOf } from "./crash-suspicion.ts";
import type { InboundIntake } from "./inbound-intake.ts";
import type { Pause } from "./pause.ts";
import { names } from "./topology.ts";

/** Options of {@link PartitionConsumer}. */
export interface PartitionConsumerOptions {
  readonly connection: ChannelModel;
  readonly partition: number;
  /** Messages in flight, at most. */
  readonly prefetch: number;
  readonly intake: InboundIntake;
  /** Whether the partition still is this process'. */
  readonly isHeld: () => boolean;
  readonly pause: Pause;
  readonly log: Log;
  /** Called once when the consumer has ended without having been told to. */
  readonly onLost: () => void;
}

/**
 * Consumes one partition on a channel of its own: messages are begun in order without waiting for the earlier ones, and
 * acknowledged as one contiguous range, at most once per turn of the event loop.
 */
export class PartitionConsumer {
  readonly #options: PartitionConsumerOptions;
  readonly #channel: Channel;
  readonly #window = new AckWindow();
  readonly #isCurrent = () => this.#state !== "closed" && this.#options.isHeld();
  /**
   * Delivered but not begun, because of a pause or a message that must be alone. At most `prefetch`, unacknowledged.
   */
  #waiting: ConsumeMessage[] = [];
  #isAlone = false;
  #state: "open" | "stopping" | "closed" = "open";
  readonly #stopListening: () => void;
  #inFlight = 0;
  #isAckDue = false;
  #idle: (() => void) | undefined;

  /** Begins to consume. Rejects when the channel or the queue is not there. */
  static async open(options: PartitionConsumerOptions): Promise<PartitionConsumer> {
    const channel = await options.connection.createChannel();
    const consumer = new PartitionConsumer(options, channel);
    try {
      await channel.prefetch(options.prefetch);
      const queue = names.partition(options.partition);
      await channel.consume(queue, (message) => consumer.#take(message));
      return consumer;
    } catch (error) {
      consumer.abandon();
      throw error;
    }
  }

  private constructor(options: PartitionConsumerOptions, channel: Channel) {
    this.#options = options;
    this.#channel = channel;
    this.#stopListening = options.pause.onEnd(() => this.#beginWaiting());
    channel.on("error", (error) => {
      options.log.error(
        { partition: options.partition, error: error.message },
        "the broker closed a channel",
      );
    });
    channel.on("close", () => this.#lose());
    channel.on("handler-error", (error) => {
      options.log.error(
        { partition: options.partition, error: error.message },
        "a message could not be begun",
      );
      this.#lose();
    });
  }

  /**
   * Begins nothing new, finishes and acknowledges the messages that are begun, and gives the rest back to the broker,
   * in their places. Resolves when nothing is left, however it ended.
   */
  async stop(): Promise<void> {
    if (this.#state !== "open") return;
    // Not cancelled first: a quorum queue would let the next consumer begin while this one still has messages, also some
    // that it sends after it has confirmed the cancel, and these would come after newer ones.
    this.#state = "stopping";
    try {
      if (this.#inFlight > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
      this.#acknowledge();
      if (!this.#isClosed()) await this.#channel.close();
    } catch {
      // The channel ended meanwhile: the broker has all unacknowledged messages back.
    } finally {
      this.#end();
    }
  }

  /** Ends at once: messages in flight are not acknowledged, and are no longer current. */
  abandon(): void {
    if (this.#state === "closed") return;
    this.#end();
    this.#waiting = [];
    this.#idle?.();
    Promise.resolve()
      .then(() => this.#channel.close())
      .catch(() => {});
  }

  #end(): void {
    this.#state = "closed";
    this.#stopListening();
  }

  #isClosed(): boolean {
    return this.#state === "closed";
  }

  #take(message: ConsumeMessage | null): void {
    if (message === null) {
      this.#cancelled();
      return;
    }
    if (this.#state === "closed") return;
    if (this.#waiting.length === 0 && this.#mayBegin(message)) this.#begin(message);
    else this.#waiting.push(message);
  }

  /** In order; a message that has come back too often is handled alone. */
  #mayBegin(message: ConsumeMessage): boolean {
    if (this.#options.pause.isOn || this.#isAlone || this.#state !== "open") return false;
    return this.#inFlight === 0 || returnsOf(message) < crashLimits.suspect;
  }

  #beginWaiting(): void {
    let begun = 0;
    for (const message of this.#waiting) {
      if (!this.#mayBegin(message)) break;
      begun += 1;
      this.#begin(message);
    }
    this.#waiting.splice(0, begun);
  }

  #begin(message: ConsumeMessage): void {
    this.#inFlight += 1;
    const { deliveryTag } = message.fields;
    this.#handle(message).then(
      () => this.#finish(deliveryTag),
      (error: Error) => this.#giveBack(error),
    );
  }

  #handle(message: ConsumeMessage): Promise<void> {
    const { intake } = this.#options;
    const returns = returnsOf(message);
    if (returns < crashLimits.suspect) return intake.take(message, this.#isCurrent);
    this.#isAlone = true;
    // The first message of a channel was in flight when the last channel ended; the messages after it had no chance
    // yet.
    if (returns >= crashLimits.bury && message.fields.deliveryTag === 1) {
      return intake.bury(message, "crashes", `given out ${returns} times before, and never finished`);
    }
    return intake.take(message, this.#isCurrent);
  }

  #finish(deliveryTag: number): void {
    this.#window.finish(deliveryTag);
    if (!this.#isAckDue) {
      this.#isAckDue = true;
      setImmediate(() => this.#acknowledge());
    }
    this.#leave();
  }

  /** A message can only go back together with the later ones, or the order would be lost. */
  #giveBack(error: Error): void {
    const { log, partition } = this.#options;
    if (this.#state !== "closed") {
      log.warn({ partition, error: error.message }, "giving a partition's messages back to the broker");
    }
    this.#acknowledge();
    this.#lose();
    this.#leave();
  }

  #leave(): void {
    this.#inFlight -= 1;
    this.#isAlone = false;
    if (this.#waiting.length > 0) this.#beginWaiting();
    if (this.#inFlight === 0) this.#idle?.();
  }

  #acknowledge(): void {
    this.#isAckDue = false;
    if (this.#state === "closed") return;
    const deliveryTag = this.#window.take();
    if (deliveryTag === 0) return;
    try {
      // The driver reads only the tag.
      this.#channel.ack({ fields: { deliveryTag } } as Message, true);
    } catch {
      // The channel is closing: the messages come again.
    }
  }

  /** The broker says that the queue is gone, or moves to another node. */
  #cancelled(): void {
    this.#options.log.warn({ partition: this.#options.partition }, "the broker cancelled a consumer");
    this.#lose();
  }

  #lose(): void {
    const wasOpen = this.#state === "open";
    this.abandon();
    if (wasOpen) this.#options.onLost();
  }
}
