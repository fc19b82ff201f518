import type { EdgeHandler, Log } from "@chat21/engine";
import type { Channel, ChannelModel, ConsumeMessage } from "amqplib";
import { topologyLimits } from "./topology-limits.ts";

/** The exchange on which RabbitMQ's plugin `rabbitmq_event_exchange` publishes its events. */
const eventExchange = "amq.rabbitmq.event";

/** One queue for all processes, so that each event goes to one of them. */
const queue = "chat21.gone";

const subscription = /^mqtt-subscription-(.+)qos[01]$/;

/** The MQTT client whose subscription this queue was; `null` for any other queue. */
export function clientOfSubscriptionQueue(name: unknown): string | null {
  return typeof name === "string" ? (subscription.exec(name)?.[1] ?? null) : null;
}

/**
 * Whether the exchange exists; asked on a channel of its own, because the channel ends when the exchange is missing.
 */
export async function exchangeExists(connection: ChannelModel, exchange: string): Promise<boolean> {
  const channel = await connection.createChannel();
  channel.on("error", () => {});
  try {
    await channel.checkExchange(exchange);
  } catch {
    return false;
  }
  await channel.close();
  return true;
}

async function declareGone(channel: Channel): Promise<void> {
  await channel.assertQueue(queue, {
    durable: true,
    arguments: {
      "x-queue-type": "classic",
      "x-max-length": topologyLimits.goneClients,
      // Later the client may be back, and its presence must not end.
      "x-message-ttl": topologyLimits.goneClientMs,
      "x-expires": topologyLimits.goneQueueExpiresMs,
    },
  });
  await channel.bindQueue(queue, eventExchange, "queue.deleted");
}

/**
 * Tells the handler of clients whose connection ended, also where the plugin sends no will: the broker removed their
 * subscription. Works only where the broker has the exchange for it; resolves with whether it has.
 */
export async function watchConnectionEvents(
  connection: ChannelModel,
  handler: Pick<EdgeHandler, "handleGone">,
  log: Log,
): Promise<boolean> {
  if (!(await exchangeExists(connection, eventExchange))) return false;
  const channel = await connection.createChannel();
  channel.on("error", (error) => log.warn({ error: error.message }, "no word of clients that are gone"));
  await declareGone(channel);
  await channel.prefetch(topologyLimits.goneInFlight);
  await channel.consume(queue, (message) => {
    if (message !== null) void tell(channel, message, handler, log);
  });
  return true;
}

async function tell(
  channel: Channel,
  message: ConsumeMessage,
  handler: Pick<EdgeHandler, "handleGone">,
  log: Log,
): Promise<void> {
  const clientId = clientOfSubscriptionQueue(message.properties.headers?.["name"]);
  try {
    if (clientId !== null) await handler.handleGone(clientId);
  } catch (error) {
    // Its lease runs out by itself.
    log.warn({ error: (error as Error).message }, "a client that is gone could not be noted");
  }
  try {
    channel.ack(message);
  } catch {
    // The channel has ended: another process gets the event.
  }
}
