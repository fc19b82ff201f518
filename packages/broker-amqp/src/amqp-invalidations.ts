import type { Invalidation, Invalidations, Log } from "@chat21/engine";
import type { ChannelModel, ConsumeMessage } from "amqplib";
import { type Publisher, transient } from "./publisher.ts";
import { names } from "./topology.ts";
import { topologyLimits } from "./topology-limits.ts";

/** Options of {@link AmqpInvalidations}. */
export interface AmqpInvalidationsOptions {
  /** Names this process: it ignores its own invalidations. */
  readonly holder: string;
  readonly publisher: Pick<Publisher, "publish">;
  readonly log: Log;
}

/**
 * Invalidations between processes over a fanout exchange. Each process has a bounded queue that ends with its
 * connection.
 */
export class AmqpInvalidations implements Invalidations {
  readonly #options: AmqpInvalidationsOptions;
  readonly #listeners: ((invalidation: Invalidation) => void)[] = [];

  constructor(options: AmqpInvalidationsOptions) {
    this.#options = options;
  }

  send({ app, conversation }: Invalidation): void {
    const { publisher, holder, log } = this.#options;
    const content = Buffer.from(JSON.stringify({ app, conversation, holder }));
    const publication = { exchange: names.invalidations, routingKey: "", content, options: transient };
    publisher.publish([publication]).catch((error: Error) => {
      log.debug({ error: error.message }, "an invalidation was not sent");
    });
  }

  onReceived(listener: (invalidation: Invalidation) => void): void {
    this.#listeners.push(listener);
  }

  /** Listens on a fresh connection. */
  async open(connection: ChannelModel): Promise<void> {
    const channel = await connection.createChannel();
    channel.on("error", (error) =>
      this.#options.log.warn({ error: error.message }, "no word from other processes"),
    );
    const { queue } = await channel.assertQueue("", {
      exclusive: true,
      autoDelete: true,
      durable: false,
      maxLength: topologyLimits.invalidations,
    });
    await channel.bindQueue(queue, names.invalidations, "");
    // Unacknowledged: it is best effort, and a connection that the broker has blocked could not acknowledge.
    await channel.consume(queue, (message) => message !== null && this.#receive(message), { noAck: true });
  }

  #receive({ content }: ConsumeMessage): void {
    const word = decode(content);
    if (word === null || word.holder === this.#options.holder) return;
    for (const listener of this.#listeners) listener({ app: word.app, conversation: word.conversation });
  }
}

function decode(content: Buffer): (Invalidation & { readonly holder: string }) | null {
  try {
    const { app, conversation, holder } = JSON.parse(content.toString()) as Record<string, unknown>;
    const isWhole = typeof app === "string" && typeof conversation === "string" && typeof holder === "string";
    return isWhole ? { app, conversation, holder } : null;
  } catch {
    return null;
  }
}
