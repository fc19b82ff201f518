import { type Channel, type ChannelModel, connect as connectAmqp, type Options } from "amqplib";
import { connect, type IClientOptions, type MqttClient } from "mqtt";

/** Longest wait for the broker's word; nothing in these tests waits for it to run out. */
const patienceMs = 15_000;

/** Begins to connect as existing clients do, but never again by itself. */
export function openMqtt(
  uri: string,
  token: string,
  clientId: string,
  options: IClientOptions = {},
): MqttClient {
  const client = connect(uri, {
    username: "JWT",
    password: token,
    clientId,
    reconnectPeriod: 0,
    connectTimeout: patienceMs,
    ...options,
  });
  client.on("error", () => undefined);
  return client;
}

/** Connects. Rejects when the broker ends the connection instead. */
export async function connectMqtt(...args: Parameters<typeof openMqtt>): Promise<MqttClient> {
  const client = openMqtt(...args);
  await new Promise<void>((resolve, reject) => {
    client.once("connect", () => resolve());
    client.once("close", () => reject(new Error("refused")));
  });
  return client;
}

/** Whether the broker lets such a client in. */
export async function connectOutcome(...args: Parameters<typeof connectMqtt>): Promise<"in" | "refused"> {
  try {
    const client = await connectMqtt(...args);
    client.end(true);
    return "in";
  } catch {
    return "refused";
  }
}

const closed = (client: MqttClient) =>
  new Promise<"closed">((resolve) => client.once("close", () => resolve("closed")));

/** What becomes of a publish (QoS 1): the broker takes it, or ends the connection. */
export function publishOutcome(
  client: MqttClient,
  topic: string,
  payload = "{}",
): Promise<"taken" | "closed"> {
  if (!client.connected) return Promise.resolve("closed");
  return Promise.race([
    closed(client),
    client.publishAsync(topic, payload, { qos: 1 }).then(
      () => "taken" as const,
      () => "closed" as const,
    ),
  ]);
}

/** What becomes of a subscription: granted, refused in the SUBACK, or the end of the connection. */
export function subscribeOutcome(
  client: MqttClient,
  filter: string,
  qos: 0 | 1 = 0,
): Promise<"granted" | "refused" | "closed"> {
  return Promise.race([
    closed(client),
    client.subscribeAsync(filter, { qos }).then(
      (grants) =>
        grants.every(({ qos: granted }) => granted < 128) ? ("granted" as const) : ("refused" as const),
      // A SUBACK that refuses is an error to MQTT.js.
      () => (client.connected ? ("refused" as const) : ("closed" as const)),
    ),
  ]);
}

/** The next message, as `topic payload`. */
export function nextMessage(client: MqttClient): Promise<string> {
  return new Promise((resolve) => client.once("message", (topic, payload) => resolve(`${topic} ${payload}`)));
}

/** Connects over AMQP; with a token as the password, as a component of an original deployment does. */
export async function openAmqp(uri: string, token?: string): Promise<ChannelModel> {
  const url = new URL(uri);
  if (token !== undefined) Object.assign(url, { username: "ignored", password: token });
  const connection = await connectAmqp(url.href);
  connection.on("error", () => undefined);
  return connection;
}

/** What becomes of an operation over AMQP: `done`, or the broker's code (403 for what one may not). */
export async function amqpOutcome(
  connection: ChannelModel,
  run: (channel: Channel) => Promise<unknown>,
): Promise<"done" | number> {
  const channel = await connection.createChannel();
  const refusal = new Promise<number>((resolve) => channel.once("error", ({ code }) => resolve(code)));
  const done = run(channel).then(
    () => "done" as const,
    () => refusal,
  );
  const outcome = await Promise.race([done, refusal]);
  if (outcome === "done") await channel.close();
  return outcome;
}

/** Publishes over AMQP and waits until the broker said that it took it, or ended the channel. */
export function publishAmqp(exchange: string, key: string, options: Options.Publish = {}) {
  return async (channel: Channel): Promise<void> => {
    channel.publish(exchange, key, Buffer.from("forged"), options);
    // The broker works in order: when it answers this, it has checked the publish.
    await channel.checkExchange("amq.topic");
  };
}

/** Lets an own queue's dead letters carry a routing key of one's choice. */
export function forgeByDeadLetter(queue: string, ownKey: string, forgedKey: string) {
  return async (channel: Channel): Promise<void> => {
    const deadLetters = { deadLetterExchange: "amq.topic", deadLetterRoutingKey: forgedKey };
    await channel.assertQueue(queue, { autoDelete: true, messageTtl: 0, ...deadLetters });
    await channel.bindQueue(queue, "amq.topic", ownKey);
    await publishAmqp("amq.topic", ownKey)(channel);
  };
}
