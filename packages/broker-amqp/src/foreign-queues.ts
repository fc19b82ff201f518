import { ChatError } from "@chat21/protocol";
import type { Channel, ChannelModel, ConsumeMessage } from "amqplib";
import { drainQueue, type TakeMessage } from "./drain-queue.ts";
import { names } from "./topology.ts";

/** A message of a queue that is not ours. */
export interface ForeignMessage {
  readonly routingKey: string;
  readonly payload: Uint8Array;
}

/** How full a queue is, and how many consumers it has. */
export interface QueueLevel {
  readonly messageCount: number;
  readonly consumerCount: number;
}

/** Queues on the broker that are not part of our topology. All calls reject when the connection ends. */
export interface ForeignQueues {
  /** `null` where there is no such queue. */
  look(queue: string): Promise<QueueLevel | null>;
  /** Ends bindings of the queue to the exchange of MQTT clients. A binding that is not there is no error. */
  unbind(queue: string, patterns: readonly string[]): Promise<void>;
  /**
   * Hands over everything that waits, in order and one message after the other, until the queue is empty. Resolves with the
   * number of messages. `handle` resolves when the message is finished. A message that it rejects with `bad_request`
   * becomes a dead letter. Any other error rejects the call; that message and the later ones stay in the queue.
   */
  drain(queue: string, handle: (message: ForeignMessage) => Promise<void>): Promise<number>;
  /** Empties the queue into the engine, as if clients had just published the messages. Resolves with their number. */
  drainAsPublished(queue: string): Promise<number>;
  /** Deletes the queue. Rejects while messages wait in it. */
  deleteEmpty(queue: string): Promise<void>;
}

/** Options of {@link openForeignQueues}. */
export interface ForeignQueuesContext {
  readonly connection: ChannelModel;
  /** Handles a message as if it had just come from a client; resolves when it is finished. */
  readonly take: TakeMessage;
  /** Makes a dead letter of a message; resolves when it is durable. */
  readonly bury: (message: ConsumeMessage, detail: string) => Promise<void>;
}

/** Makes {@link ForeignQueues} over a connection, for as long as it is open. */
export function openForeignQueues({ connection, take, bury }: ForeignQueuesContext): ForeignQueues {
  return {
    look: (queue) => lookAt(connection, queue),
    unbind: (queue, patterns) =>
      withChannel(connection, async (channel) => {
        for (const pattern of patterns) await channel.unbindQueue(queue, names.mqtt, pattern);
      }),
    drain: (queue, handle) => drainQueue(connection, queue, inTurn(handle, bury)),
    drainAsPublished: (queue) => drainQueue(connection, queue, take),
    deleteEmpty: (queue) =>
      withChannel(connection, async (channel) => {
        await channel.deleteQueue(queue, { ifEmpty: true });
      }),
  };
}

/** Asking for a queue that is missing ends the channel. */
async function lookAt(connection: ChannelModel, queue: string): Promise<QueueLevel | null> {
  try {
    return await withChannel(connection, (channel) => channel.checkQueue(queue));
  } catch (error) {
    if ((error as { readonly code?: number }).code === 404) return null;
    throw error;
  }
}

async function withChannel<T>(connection: ChannelModel, run: (channel: Channel) => Promise<T>): Promise<T> {
  const channel = await connection.createChannel();
  // Its calls reject with the reason.
  channel.on("error", () => {});
  const result = await run(channel);
  await channel.close();
  return result;
}

/** A queue hands out many messages at a time. After an error none is begun. */
function inTurn(
  handle: (message: ForeignMessage) => Promise<void>,
  bury: ForeignQueuesContext["bury"],
): TakeMessage {
  let last = Promise.resolve();
  return (message) => {
    last = last.then(async () => {
      try {
        await handle({ routingKey: message.fields.routingKey, payload: message.content });
      } catch (error) {
        if (!(error instanceof ChatError) || error.code !== "bad_request") throw error;
        await bury(message, error.message);
      }
    });
    return last;
  };
}
