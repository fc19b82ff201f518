import { randomUUID } from "node:crypto";
import type { Log } from "@chat21/engine";
import { type RequiredRabbit, requireRabbit } from "@chat21/testkit/services";
import { type ChannelModel, type ConfirmChannel, connect } from "amqplib";
import { vi } from "vitest";
import { type AmqpEdge, type AmqpEdgeOptions, createAmqpEdge } from "../src/index.ts";
import { MemoryLeases } from "./memory-leases.ts";
import { RecordingHandler } from "./recording-handler.ts";

/** One line of an edge's log. */
export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly fields: object;
}

/** An edge of a test, with what it is connected to. */
export interface TestEdge {
  readonly edge: AmqpEdge;
  readonly handler: RecordingHandler;
  readonly log: LogLine[];
  readonly counted: string[];
}

interface ListedConnection {
  readonly name: string;
  readonly client_properties?: { readonly connection_name?: string };
}

/** A virtual host of a test's own on a real broker, edges on it, and a client's view of it. */
export class RabbitWorld {
  readonly rabbit: RequiredRabbit;
  readonly vhost = `test-${randomUUID().slice(0, 8)}`;
  readonly leases = new MemoryLeases();
  readonly #edges: AmqpEdge[] = [];
  readonly #connections: ChannelModel[] = [];

  static async open(options: Parameters<typeof requireRabbit>[0] = {}): Promise<RabbitWorld> {
    const world = new RabbitWorld(await requireRabbit(options));
    await world.manage("PUT", `vhosts/${world.vhost}`, {});
    await world.manage("PUT", `permissions/${world.vhost}/guest`, {
      configure: ".*",
      write: ".*",
      read: ".*",
    });
    return world;
  }

  private constructor(rabbit: RequiredRabbit) {
    this.rabbit = rabbit;
  }

  get uri(): string {
    return `${this.rabbit.uri}/${this.vhost}`;
  }

  /** Starts an edge that consumes, unless `leases` is given as `undefined`. */
  async edge(options: Partial<AmqpEdgeOptions> = {}): Promise<TestEdge> {
    const handler = new RecordingHandler();
    const made = { ...this.unstarted(options), handler };
    await made.edge.start(handler);
    return made;
  }

  unstarted(options: Partial<AmqpEdgeOptions> = {}): Omit<TestEdge, "handler"> {
    const lines: LogLine[] = [];
    const counted: string[] = [];
    const edge = createAmqpEdge({
      uri: this.uri,
      holder: `observer-${this.#edges.length}`,
      network: this.vhost,
      leases: this.leases,
      partitions: 4,
      log: logInto(lines),
      metrics: {
        count: (name, labels) => void counted.push([name, ...Object.values(labels ?? {})].join(" ")),
        observe: () => {},
      },
      ...options,
    });
    this.#edges.push(edge);
    return { edge, log: lines, counted };
  }

  /** A channel of a stranger. */
  async channel(): Promise<ConfirmChannel> {
    const connection = await connect(this.uri, { noDelay: true });
    connection.on("error", () => {});
    this.#connections.push(connection);
    const channel = await connection.createConfirmChannel();
    channel.on("error", () => {});
    return channel;
  }

  /** Asks RabbitMQ's management; answers the parsed body. */
  async manage(method: string, path: string, body?: unknown): Promise<unknown> {
    if (this.rabbit.managementUri === null) throw new Error("set RABBITMQ_MANAGEMENT_URI");
    const response = await fetch(`${this.rabbit.managementUri}/api/${path}`, {
      method,
      headers: { authorization: `Basic ${btoa("guest:guest")}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text === "" ? null : JSON.parse(text);
  }

  /** Ends the connections of one edge as a network does. Resolves when the broker has done so. */
  async breakConnections(holder: string): Promise<void> {
    await vi.waitUntil(
      async () => {
        const listed = (await this.manage("GET", `vhosts/${this.vhost}/connections`)) as ListedConnection[];
        const own = listed.filter(({ client_properties: client }) =>
          client?.connection_name?.startsWith(`chat21 ${holder} `),
        );
        await Promise.all(
          own.map(({ name }) => this.manage("DELETE", `connections/${encodeURIComponent(name)}`)),
        );
        return own.length > 0;
      },
      { timeout: 20_000, interval: 200 },
    );
  }

  async close(): Promise<void> {
    await Promise.all(this.#edges.map((edge) => edge.close(5_000)));
    await Promise.all(this.#connections.map((connection) => connection.close().catch(() => {})));
    await this.manage("DELETE", `vhosts/${this.vhost}`).catch(() => {});
    await this.rabbit.stop();
  }
}

/** A log that a test can read. */
export function logInto(lines: LogLine[]): Log {
  const write = (level: string) => (fields: object, message: string) =>
    void lines.push({ level, message, fields });
  return { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
}

/** Resolves when every partition is consumed by one of these. */
export async function untilConsumed(edges: readonly AmqpEdge[], partitions: number): Promise<void> {
  await vi.waitUntil(() => edges.flatMap((edge) => edge.partitions).length === partitions, {
    timeout: 20_000,
  });
}

/** Publishes as the MQTT plugin does for a client, and resolves when the broker has it. */
export function send(channel: ConfirmChannel, key: string, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    channel.publish("amq.topic", key, Buffer.from(text), { deliveryMode: 2 }, (error) =>
      error === null ? resolve() : reject(error),
    );
  });
}

/** Key of a message from `user` to `recipient`. */
export function outgoing(user: string, recipient: string): string {
  return `apps.tilechat.outgoing.users.${user}.messages.${recipient}.outgoing`;
}
