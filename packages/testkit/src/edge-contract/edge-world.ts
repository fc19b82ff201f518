import type { Delivery, Edge, EdgeHandler } from "@chat21/engine";
import { topics } from "@chat21/protocol";
import type { IConnackPacket, IConnectPacket, Packet } from "mqtt-packet";
import { afterEach, beforeEach, expect } from "vitest";
import {
  type Carrier,
  openEventStream,
  openTcp,
  openWebSocket,
  type RawConnection,
} from "./raw-connection.ts";
import { passwordOf, ScriptedHandler, testApp } from "./scripted-handler.ts";

/** A started edge, its handler, and the connections of a test. */
export class EdgeWorld {
  readonly handler = new ScriptedHandler();
  readonly #connections: RawConnection[] = [];
  #opened: OpenedEdge | null = null;

  get edge(): Edge {
    return this.opened.edge;
  }

  get opened(): OpenedEdge {
    if (this.#opened === null) throw new Error("the edge is not open");
    return this.#opened;
  }

  async open(open: OpenEdge): Promise<void> {
    this.#opened = await open(this.handler);
  }

  /** Opens a transport and sends nothing. */
  async raw(carrier: Carrier = "tcp", subProtocols?: string[]): Promise<RawConnection> {
    const { tcpPort, wsUrl } = this.opened;
    const openers = {
      sse: () => openEventStream(wsUrl),
      tcp: () => openTcp(tcpPort),
      ws: () => openWebSocket(wsUrl, subProtocols),
    };
    const connection = await openers[carrier]();
    this.#connections.push(connection);
    return connection;
  }

  /** Opens a connection and waits for CONNACK. */
  async join(options: JoinOptions = {}): Promise<RawConnection> {
    const connection = await this.raw(options.carrier);
    connection.send(connectPacket(options));
    const connack = (await connection.next()) as IConnackPacket;
    expect(connack).toMatchObject({ cmd: "connack", returnCode: 0, sessionPresent: false });
    return connection;
  }

  /** Opens a connection and subscribes to its user's inbox. */
  async listen(options: JoinOptions & { readonly qos?: 0 | 1 | 2 } = {}): Promise<RawConnection> {
    const connection = await this.join(options);
    connection.send(subscribePacket(topics.inbox(options.app ?? testApp, options.user ?? ann), options.qos));
    expect(await connection.next()).toMatchObject({ cmd: "suback" });
    return connection;
  }

  async close(): Promise<void> {
    for (const connection of this.#connections) connection.destroy();
    await this.#opened?.close();
  }
}

/** Gives each test of the surrounding suite a new edge. */
export function useEdge(open: OpenEdge): () => EdgeWorld {
  let world: EdgeWorld | null = null;
  beforeEach(async () => {
    world = new EdgeWorld();
    await world.open(open);
  });
  afterEach(async () => {
    await world?.close();
    world = null;
  });
  return () => {
    if (world === null) throw new Error("a world exists during a test only");
    return world;
  };
}

/** Starts an edge with the given handler, on free ports. */
export type OpenEdge = (handler: EdgeHandler) => Promise<OpenedEdge>;

/** A started edge. */
export interface OpenedEdge {
  readonly edge: Edge;
  /** Port on 127.0.0.1. */
  readonly tcpPort: number;
  /** `ws://127.0.0.1:…/ws`. */
  readonly wsUrl: string;
  /** Closes the edge and everything that was opened with it. */
  close(): Promise<void>;
}

/** The client that connects. The default is the first device of {@link ann}. */
export interface JoinOptions {
  readonly app?: string;
  readonly user?: string;
  readonly clientId?: string;
  readonly carrier?: Carrier;
  /** Seconds. @default 0 (none) */
  readonly keepAlive?: number;
}

/** The user of most tests. */
export const ann = "ann";
export const carriers = ["tcp", "ws", "sse"] as const;

/** A CONNECT, as existing clients send it. */
export function connectPacket(options: JoinOptions & Partial<IConnectPacket> = {}): IConnectPacket {
  const { app = testApp, user = ann, clientId = `${user}-1`, keepAlive = 0, carrier, ...rest } = options;
  return {
    cmd: "connect",
    protocolId: "MQTT",
    protocolVersion: 4,
    clean: true,
    clientId,
    keepalive: keepAlive,
    username: "JWT",
    password: Buffer.from(passwordOf(user, app)),
    ...rest,
  };
}

/** A message (P1) from `user`. */
export function publishPacket(
  options: {
    readonly messageId?: number;
    readonly qos?: 0 | 1 | 2;
    readonly payload?: string;
    readonly topic?: string;
  } = {},
): Packet {
  const { messageId = 1, qos = 1, payload = "{}", topic = topics.outgoing(testApp, ann, "bob") } = options;
  const common = { cmd: "publish", topic, payload, dup: false, retain: false } as const;
  return qos === 0 ? { ...common, qos } : { ...common, qos, messageId };
}

/** A SUBSCRIBE with one filter. */
export function subscribePacket(topic: string, qos: 0 | 1 | 2 = 1, messageId = 1): Packet {
  return { cmd: "subscribe", messageId, subscriptions: [{ topic, qos }] };
}

/** A delivery to ann: a message from bob. */
export function deliveryOf(payload: string, more: Partial<Delivery> = {}): Delivery {
  const { app = testApp, user = ann } = more;
  return { app, user, topic: topics.messageAdded(app, user, "bob"), payload, qos: 1, ...more };
}

export const pingreq: Packet = { cmd: "pingreq" };
