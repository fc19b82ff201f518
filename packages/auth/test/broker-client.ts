import { type Channel, type ChannelModel, connect as connectAmqp, type Options } from "amqplib";
import { connect, type IClientOptions, type MqttClient } from "mqtt";

/** Longest wait for an answer of the broker. A passing test never waits that long. */
const patienceMs = 15_000;

/** Starts to connect as existing clients do. Never reconnects. */
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

/** Says whether the broker accepts the client. */
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

/** The outcome of a QoS 1 publish: the broker takes it, or closes the connection. */
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

/** The outcome of a subscription: granted, refused in the SUBACK, or the connection closed. */
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
      // MQTT.js reports a refusing SUBACK as an error.
      () => (client.connected ? ("refused" as const) : ("closed" as const)),
    ),
  ]);
}

/** The next message, as `topic payload`. */
export function nextMessage(client: MqttClient): Promise<string> {
  return new Promise((resolve) => client.once("message", (topic, payload) => resolve(`${topic} ${payload}`)));
}

/** Connects over AMQP. A token goes into the password, as components of an original deployment do. */
export async function openAmqp(uri: string, token?: string): Promise<ChannelModel> {
  const url = new URL(uri);
  if (token !== undefined) Object.assign(url, { username: "ignored", password: token });
  const connection = await connectAmqp(url.href);
  connection.on("error", () => undefined);
  return connection;
}

/** The outcome of an operation over AMQP: `done`, or the broker's code (403 when it is forbidden). */
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

/** Publishes over AMQP. Waits until the broker has taken the message or closed the channel. */
export function publishAmqp(exchange: string, key: string, options: Options.Publish = {}) {
  return async (channel: Channel): Promise<void> => {
    channel.publish(exchange, key, Buffer.from("forged"), options);
    // The broker works in order: its answer to this comes after its check of the publish.
    await channel.checkExchange("amq.topic");
  };
}

/** Declares a queue of one's own whose dead letters carry a chosen routing key. */
export function forgeByDeadLetter(queue: string, ownKey: string, forgedKey: string) {
  return async (channel: Channel): Promise<void> => {
    const deadLetters = { deadLetterExchange: "amq.topic", deadLetterRoutingKey: forgedKey };
    await channel.assertQueue(queue, { autoDelete: true, messageTtl: 0, ...deadLetters });
    await channel.bindQueue(queue, "amq.topic", ownKey);
    await publishAmqp("amq.topic", ownKey)(channel);
  };
}
