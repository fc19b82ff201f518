import { randomUUID } from "node:crypto";
import { type RequiredRabbit, requireRabbit } from "@chat21/testkit/services";

/** The queues of an original deployment, with what each is bound to, for one app. */
const bindings = {
  messages: [
    "apps.tilechat.outgoing.users.*.messages.*.outgoing",
    "apps.tilechat.users.#.update",
    "apps.tilechat.users.#.archive",
    "apps.tilechat.users.*.presence.*",
    "apps.observer.tilechat.groups.update",
    "apps.observer.tilechat.users.*.messages.*.delivered",
  ],
  persist: ["apps.observer.tilechat.users.*.messages.*.persist"],
  webhooks: [
    "observer.webhook.apps.tilechat.message_deliver",
    "observer.webhook.apps.tilechat.message_update",
    "observer.webhook.apps.tilechat.conversation_archived",
    "observer.webhook.apps.tilechat.presence",
  ],
} as const;

/** Names of the original's queues. */
export const originalQueues = Object.keys(bindings) as readonly (keyof typeof bindings)[];

/** A message as the broker's management shows it. */
export interface Letter {
  readonly payload: string;
  readonly properties: { readonly headers?: Readonly<Record<string, unknown>> };
}

/** A virtual host of a test's own on a real RabbitMQ, as an original deployment leaves it. */
export class OriginalBroker {
  readonly #rabbit: RequiredRabbit;
  readonly #vhost = `original-${randomUUID().slice(0, 8)}`;

  static async open(): Promise<OriginalBroker> {
    const broker = new OriginalBroker(await requireRabbit());
    const vhost = broker.#vhost;
    await broker.#manage("PUT", `vhosts/${vhost}`, {});
    const all = { configure: ".*", write: ".*", read: ".*" };
    await broker.#manage("PUT", `permissions/${vhost}/guest`, all);
    for (const queue of originalQueues) {
      await broker.#manage("PUT", `queues/${vhost}/${queue}`, { durable: true });
      for (const routing_key of bindings[queue]) {
        await broker.#manage("POST", `bindings/${vhost}/e/amq.topic/q/${queue}`, { routing_key });
      }
    }
    return broker;
  }

  private constructor(rabbit: RequiredRabbit) {
    this.#rabbit = rabbit;
  }

  get uri(): string {
    return `${this.#rabbit.uri}/${this.#vhost}`;
  }

  /** Publishes as the original does; rejects when no queue gets it. */
  async publish(routingKey: string, payload: object | string): Promise<void> {
    const { routed } = (await this.#manage("POST", `exchanges/${this.#vhost}/amq.topic/publish`, {
      routing_key: routingKey,
      payload: typeof payload === "string" ? payload : JSON.stringify(payload),
      payload_encoding: "string",
      properties: { delivery_mode: 2 },
    })) as { routed: boolean };
    if (!routed) throw new Error(`no queue is bound to ${routingKey}`);
  }

  /** Names of all queues. */
  async queues(): Promise<string[]> {
    const queues = (await this.#manage("GET", `queues/${this.#vhost}`)) as { name: string }[];
    return queues.map(({ name }) => name);
  }

  /** Takes everything out of a queue. */
  async takeAll(queue: string): Promise<Letter[]> {
    const how = { count: 1_000, ackmode: "ack_requeue_false", encoding: "auto" };
    return (await this.#manage("POST", `queues/${this.#vhost}/${queue}/get`, how)) as Letter[];
  }

  async close(): Promise<void> {
    await this.#manage("DELETE", `vhosts/${this.#vhost}`);
    await this.#rabbit.stop();
  }

  async #manage(method: string, path: string, body?: unknown): Promise<unknown> {
    if (this.#rabbit.managementUri === null) throw new Error("set RABBITMQ_MANAGEMENT_URI");
    const response = await fetch(`${this.#rabbit.managementUri}/api/${path}`, {
      method,
      headers: { authorization: `Basic ${btoa("guest:guest")}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text === "" ? null : JSON.parse(text);
  }
}
