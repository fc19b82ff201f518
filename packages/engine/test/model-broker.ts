import { topics } from "@chat21/protocol";
import type { Engine, Session } from "../src/index.ts";
import { app } from "./world.ts";

/** A message on its way, as a broker keeps it. */
interface Waiting {
  readonly text: string;
  redelivered: boolean;
  takenBy: ModelConsumer | null;
}

/** Somebody a broker hands messages to, until its lease or its connection is gone. */
export interface ModelConsumer {
  readonly engine: Engine;
  isCurrent: boolean;
}

const session = (user: string): Session => ({
  ...{ app, user, clientId: "all", admin: false, tokenId: "" },
  ...{ expiresAt: Number.MAX_SAFE_INTEGER, issuedAt: 0 },
});

/** One partition's queue: in order, at least once, one consumer at a time, nothing forgotten before it is acknowledged. */
export class ModelBroker {
  #messages: Waiting[];
  readonly #named: boolean;
  readonly #sender: string;
  readonly #recipient: string;
  /** Acknowledgements that found their consumer replaced. */
  readonly lateAcknowledgements: string[] = [];

  /** @param named whether each message has a temporary id, as user interfaces give it */
  constructor(sender: string, recipient: string, texts: readonly string[], named = false) {
    this.#named = named;
    this.#sender = sender;
    this.#recipient = recipient;
    this.#messages = texts.map((text) => ({ text, redelivered: false, takenBy: null }));
  }

  get isEmpty(): boolean {
    return this.#messages.length === 0;
  }

  /** Hands over what waits, in order, without waiting for what came of the message before. */
  async deliverTo(consumer: ModelConsumer): Promise<void> {
    const handled = this.#messages
      .filter(({ takenBy }) => takenBy === null)
      .map(async (message) => {
        message.takenBy = consumer;
        const { text } = message;
        const attributes = this.#named ? { attributes: { tempUID: `temporary-${text}` } } : {};
        const inbound = {
          topic: topics.outgoing(app, this.#sender, this.#recipient),
          payload: new TextEncoder().encode(JSON.stringify({ text, ...attributes })),
          redelivered: message.redelivered,
          isCurrent: () => consumer.isCurrent,
        };
        await consumer.engine.handlePublish(session(this.#sender), inbound);
        if (message.takenBy !== consumer) this.lateAcknowledgements.push(message.text);
        else this.#messages = this.#messages.filter((other) => other !== message);
      });
    await Promise.allSettled(handled);
  }

  /** The consumer's connection is gone: what it did not acknowledge waits again, in its old place. */
  disconnect(consumer: ModelConsumer): void {
    consumer.isCurrent = false;
    for (const message of this.#messages) {
      if (message.takenBy !== consumer) continue;
      message.takenBy = null;
      message.redelivered = true;
    }
  }
}
