import { randomUUID } from "node:crypto";
import {
  connect,
  ErrorWithReasonCode,
  type IClientOptions,
  type IPublishPacket,
  type MqttClient,
} from "mqtt";

/**
 * A client that uses the wire as existing clients do: MQTT 3.1.1, user name `JWT`, one subscription to all its own
 * topics, QoS 0, a retained will. It keeps frames until {@link OldClient.next} takes them.
 */
export class OldClient {
  readonly app: string;
  readonly user: string;
  readonly clientId: string;
  /** Settles when the connection is gone. */
  readonly closed: Promise<void>;
  readonly #mqtt: MqttClient;
  readonly #frames: Frame[] = [];
  readonly #waiting = new Set<() => void>();

  private constructor(mqtt: MqttClient, app: string, user: string, clientId: string) {
    this.#mqtt = mqtt;
    this.app = app;
    this.user = user;
    this.clientId = clientId;
    this.closed = new Promise((resolve) => mqtt.once("close", () => resolve()));
    mqtt.on("error", () => {});
    mqtt.on("message", (topic, payload, packet) => this.#receive(topic, payload, packet));
  }

  /** Connects, subscribes, publishes presence. Rejects when the connection is closed before CONNACK and SUBACK. */
  static async connect(options: OldClientOptions): Promise<OldClient> {
    const client = OldClient.#open(options);
    const mqtt = client.#mqtt;
    await new Promise<void>((resolve, reject) => {
      mqtt.once("connect", () => resolve());
      mqtt.once("error", reject);
      client.closed.then(() => reject(new Error("the connection was closed before CONNACK")));
    });
    await client.subscribe(`apps/${client.app}/users/${client.user}/#`);
    if (options.presence !== false) client.publish(client.presenceTopic, { connected: true });
    return client;
  }

  static #open(options: OldClientOptions): OldClient {
    const { app = "tilechat", user, clientId = randomUUID(), protocolVersion = 4 } = options;
    const mqtt = connect(options.url, {
      clientId,
      username: "JWT",
      password: options.token,
      protocolVersion,
      keepalive: 10,
      clean: true,
      reconnectPeriod: 0,
      rejectUnauthorized: false,
      will: options.will ?? {
        topic: `apps/${app}/users/${user}/presence/${clientId}`,
        payload: Buffer.from('{"disconnected":true}'),
        qos: 1,
        // Version 5 says that nothing is retained, and refuses a will that should be.
        retain: protocolVersion === 4,
      },
    });
    return new OldClient(mqtt, app, user, clientId);
  }

  get presenceTopic(): string {
    return `apps/${this.app}/users/${this.user}/presence/${this.clientId}`;
  }

  /** Sends a message (P1). Resolves when the packet is written (QoS 0) or acknowledged (QoS 1). */
  send(recipient: string, message: object, qos: 0 | 1 = 0): Promise<void> {
    return this.publish(
      `apps/${this.app}/outgoing/users/${this.user}/messages/${recipient}/outgoing`,
      message,
      qos,
    );
  }

  /** Publishes strings and bytes unchanged, other values as JSON. Rejects when the connection closes before. */
  publish(topic: string, payload: unknown, qos: 0 | 1 = 0): Promise<void> {
    const bytes = typeof payload === "string" || Buffer.isBuffer(payload) ? payload : JSON.stringify(payload);
    return new Promise((resolve, reject) => {
      this.closed.then(() => reject(new Error(`the connection was closed: publish to ${topic}`)));
      // An acknowledgement of version 5 that names a reason is one, too: the answer says the same.
      this.#mqtt.publish(topic, bytes, { qos }, (error) =>
        error && !(error instanceof ErrorWithReasonCode) ? reject(error) : resolve(),
      );
    });
  }

  /** Resolves on SUBACK. Rejects when the connection closes before. */
  subscribe(filter: string, qos: 0 | 1 = 0): Promise<void> {
    return new Promise((resolve, reject) => {
      this.closed.then(() => reject(new Error(`the connection was closed: subscribe to ${filter}`)));
      this.#mqtt.subscribe(filter, { qos }, (error) => (error ? reject(error) : resolve()));
    });
  }

  /** Takes the oldest frame that matches; waits for one when there is none. Each frame is taken once. */
  next(match: (frame: Frame) => boolean, what = "frame"): Promise<Frame> {
    return new Promise((resolve, reject) => {
      const settle = (then: () => void) => {
        this.#waiting.delete(look);
        clearTimeout(timer);
        then();
      };
      const look = () => {
        const index = this.#frames.findIndex(match);
        if (index < 0) return;
        const [frame] = this.#frames.splice(index, 1);
        settle(() => resolve(frame as Frame));
      };
      const timer = setTimeout(() => {
        const got = this.#frames.map((frame) => frame.topic).join(", ");
        settle(() =>
          reject(new Error(`${this.user} got no ${what} in ${nextTimeoutMs} ms, but: ${got || "nothing"}`)),
        );
      }, nextTimeoutMs);
      this.#waiting.add(look);
      look();
    });
  }

  /** Takes the next message (S1) of the conversation with `conversWith`; with `text`, the next one of that text. */
  nextMessage(conversWith: string, text?: string): Promise<Frame> {
    const topic = `apps/${this.app}/users/${this.user}/messages/${conversWith}/clientadded`;
    return this.next(
      (frame) => frame.topic === topic && (text === undefined || frame.payload.text === text),
      `message with ${conversWith}${text === undefined ? "" : ` saying ${JSON.stringify(text)}`}`,
    );
  }

  /** Takes the next answer or error for this client's device or for all devices. */
  nextAnswer(): Promise<Frame> {
    return this.next((frame) => frame.topic.includes("/devices/"), "answer");
  }

  /** Returns the frames that were not taken. */
  untaken(match: (frame: Frame) => boolean = () => true): readonly Frame[] {
    return this.#frames.filter(match);
  }

  /** Stops reading from the server. */
  pause(): void {
    this.#mqtt.stream.pause();
    this.#mqtt.stream.unpipe();
  }

  /** Sends DISCONNECT, then closes. */
  async end(): Promise<void> {
    this.#mqtt.end();
    await this.closed;
  }

  /** Cuts the connection without DISCONNECT, like a closed tab or a lost network. */
  async cut(): Promise<void> {
    this.#mqtt.stream.destroy();
    await this.closed;
  }

  #receive(topic: string, payload: Buffer, packet: IPublishPacket): void {
    const text = payload.toString("utf8");
    this.#frames.push({ topic, payload: parseOrText(text), qos: packet.qos, retain: packet.retain });
    for (const look of [...this.#waiting]) look();
  }
}

/** Settings of an {@link OldClient}. */
export interface OldClientOptions {
  readonly url: string;
  readonly user: string;
  readonly token: string;
  /** @default "tilechat" */
  readonly app?: string;
  /** @default a random UUID, as existing clients do */
  readonly clientId?: string;
  /** Publish presence after connecting, as existing clients do. @default true */
  readonly presence?: boolean;
  /** @default 4, MQTT 3.1.1, as existing clients */
  readonly protocolVersion?: 4 | 5;
  /** @default the will of existing clients */
  readonly will?: IClientOptions["will"];
}

/** A publish that reached a client. */
export interface Frame {
  readonly topic: string;
  readonly payload: Json;
  readonly qos: number;
  readonly retain: boolean;
}

// biome-ignore lint/suspicious/noExplicitAny: tests read payloads freely
export type Json = any;

const nextTimeoutMs = 10_000;

function parseOrText(text: string): Json {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
