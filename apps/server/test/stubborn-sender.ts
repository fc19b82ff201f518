import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { connect, type MqttClient } from "mqtt";

/** Where and as whom to send. */
export interface StubbornSenderOptions {
  /** `mqtt://host:port`, or `ws://…/ws`. */
  readonly url: string;
  readonly user: string;
  readonly token: string;
  /** Message `n` goes to the recipient `n` modulo their number. */
  readonly recipients: readonly string[];
  /** Messages on the way at once. */
  readonly window: number;
  /** Called for every acknowledgement. */
  readonly onAcknowledged: () => void;
}

/** A message that was acknowledged. */
export interface Acknowledged {
  readonly recipient: string;
  readonly text: string;
}

const app = "tilechat";
const retryMs = 20;

/**
 * Publishes at full speed with QoS 1, keeps what was not acknowledged, and after every lost connection sends it again
 * in the same order and under the same idempotency keys: what a client with an outbox does.
 */
export class StubbornSender {
  readonly #options: StubbornSenderOptions;
  readonly #unacknowledged = new Map<number, Acknowledged>();
  readonly #acknowledged: Acknowledged[] = [];
  #next = 0;
  #stopping = false;
  #done = (): void => {};
  /** Settles when it was stopped and everything is acknowledged. */
  readonly finished: Promise<void>;

  constructor(options: StubbornSenderOptions) {
    this.#options = options;
    this.finished = new Promise((resolve) => {
      this.#done = resolve;
    });
  }

  get acknowledged(): readonly Acknowledged[] {
    return this.#acknowledged;
  }

  /** Sends until {@link StubbornSender.stop}. */
  async run(): Promise<void> {
    while (!this.#isFinished) {
      await this.#session();
      if (!this.#isFinished) await delay(retryMs);
    }
    this.#done();
  }

  /** No new messages; those on the way are still seen through. */
  stop(): void {
    this.#stopping = true;
  }

  get #isFinished(): boolean {
    return this.#stopping && this.#unacknowledged.size === 0;
  }

  /** One connection, from CONNECT to its end. */
  #session(): Promise<void> {
    const { url, user, token } = this.#options;
    return new Promise((resolve) => {
      const mqtt = connect(url, {
        username: "JWT",
        password: token,
        clientId: randomUUID(),
        protocolVersion: 4,
        reconnectPeriod: 0,
        connectTimeout: 2_000,
      });
      mqtt.on("error", () => {});
      mqtt.once("close", () => {
        mqtt.end(true);
        resolve();
      });
      mqtt.once("connect", () => {
        mqtt.subscribe(`apps/${app}/users/${user}/#`, { qos: 0 });
        for (const [number, message] of this.#unacknowledged) this.#publish(mqtt, number, message);
        this.#fill(mqtt);
      });
      mqtt.on("message", (topic, payload) => this.#takeOwnCopy(mqtt, topic, payload));
    });
  }

  #fill(mqtt: MqttClient): void {
    const { user, recipients, window } = this.#options;
    while (!this.#stopping && mqtt.connected && this.#unacknowledged.size < window) {
      const number = this.#next++;
      const recipient = recipients[number % recipients.length] as string;
      const message = { recipient, text: `${user} ${number}` };
      this.#unacknowledged.set(number, message);
      this.#publish(mqtt, number, message);
    }
    if (this.#isFinished) mqtt.end();
  }

  #publish(mqtt: MqttClient, number: number, { recipient, text }: Acknowledged): void {
    const { user } = this.#options;
    const topic = `apps/${app}/outgoing/users/${user}/messages/${recipient}/outgoing`;
    const body = JSON.stringify({ text, type: "text", client_message_id: `${user}-${number}` });
    mqtt.publish(topic, body, { qos: 1 }, (error) => {
      if (!error) this.#settle(mqtt, number);
    });
  }

  /** The own copy acknowledges as well, and may come before the PUBACK. */
  #takeOwnCopy(mqtt: MqttClient, topic: string, payload: Buffer): void {
    if (!topic.endsWith("/clientadded")) return;
    const { sender, client_message_id: id } = JSON.parse(payload.toString()) as Record<string, string>;
    const { user } = this.#options;
    if (sender === user && id?.startsWith(`${user}-`)) this.#settle(mqtt, Number(id.slice(user.length + 1)));
  }

  #settle(mqtt: MqttClient, number: number): void {
    const message = this.#unacknowledged.get(number);
    if (message === undefined) return;
    this.#unacknowledged.delete(number);
    this.#acknowledged.push(message);
    this.#options.onAcknowledged();
    this.#fill(mqtt);
  }
}
