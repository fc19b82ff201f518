import type { Channel, ChannelModel, ConsumeMessage, Message } from "amqplib";
import { AckWindow } from "./ack-window.ts";

const prefetch = 250;

/** Handles one message; resolves when it is finished. */
export type TakeMessage = (message: ConsumeMessage) => Promise<void>;

/**
 * Hands over everything that waits in a queue, in order, until it is empty; resolves with how many there were. Rejects
 * when one message cannot be finished, or the channel ends: the rest stays. Must be the only consumer: rejects (403)
 * beside another.
 */
export async function drainQueue(
  connection: ChannelModel,
  queue: string,
  take: TakeMessage,
): Promise<number> {
  for (let drained = 0; ; ) {
    const channel = await connection.createChannel();
    // Its calls reject with the reason.
    channel.on("error", () => {});
    const { messageCount } = await channel.checkQueue(queue);
    if (messageCount > 0) await drainSome(channel, queue, messageCount, take);
    drained += messageCount;
    // Messages beyond the count go back, for the next round.
    await channel.close();
    if (messageCount === 0) return drained;
  }
}

async function drainSome(channel: Channel, queue: string, count: number, take: TakeMessage): Promise<void> {
  const window = new AckWindow();
  let begun = 0;
  let finished = 0;
  await channel.prefetch(prefetch);
  await new Promise<void>((resolve, reject) => {
    const finish = (message: ConsumeMessage) => {
      window.finish(message.fields.deliveryTag);
      acknowledge(channel, window);
      finished += 1;
      if (finished === count) resolve();
    };
    const begin = (message: ConsumeMessage | null) => {
      if (message === null) reject(new Error(`the broker cancelled the consumer of ${queue}`));
      else if (begun++ < count) take(message).then(() => finish(message), reject);
    };
    channel.once("close", () => reject(new Error(`the channel that drained ${queue} was closed`)));
    channel.consume(queue, begin, { exclusive: true }).catch(reject);
  });
}

function acknowledge(channel: Channel, window: AckWindow): void {
  const deliveryTag = window.take();
  // The driver reads only the tag.
  if (deliveryTag > 0) channel.ack({ fields: { deliveryTag } } as Message, true);
}
