import { connect } from "amqplib";

/** It keeps the newest events: nobody reads them here. */
const length = 10_000;

/**
 * Binds a durable queue for all events for backends, as a backend would. Without a queue, events are not published one by
 * one.
 */
export async function bindEventsQueue(amqpUri: string): Promise<void> {
  const connection = await connect(amqpUri);
  try {
    const channel = await connection.createChannel();
    await channel.assertExchange("chat21.events", "topic", { durable: true });
    await channel.assertQueue("bench-events", { durable: true, maxLength: length });
    await channel.bindQueue("bench-events", "chat21.events", "#");
    await channel.close();
  } finally {
    await connection.close();
  }
}
