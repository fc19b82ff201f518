import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { topicMatches } from "@chat21/protocol";
import type { IPublishPacket, Packet } from "mqtt-packet";
import mqttPacket from "mqtt-packet";
import type { WebSocket } from "ws";
import { WebSocketServer } from "ws";

/** One MQTT connection of a client. */
export interface FakeConnection {
  readonly clientId: string;
  readonly user: string;
  /** The password of its CONNECT: a token. */
  readonly token: string;
  readonly will: { readonly topic: string; readonly payload: string } | undefined;
  readonly filters: readonly string[];
  /** Drops the socket without a word, as a lost network does. */
  drop(): void;
}

/** What a broker asks and tells. */
export interface FakeBrokerHandlers {
  /** Return code of CONNACK; 0 accepts, `null` closes the socket without a word. */
  authenticate(token: string, clientId: string): { readonly code: number | null; readonly user: string };
  /** `null`: nothing is answered. */
  canSubscribe(connection: FakeConnection, filter: string): boolean | null;
  /** A publish came in; it is acknowledged unless `false` is answered. */
  handlePublish(connection: FakeConnection, topic: string, payload: string): boolean;
  handleOpen(connection: FakeConnection): void;
  handleClose(connection: FakeConnection): void;
}

interface Connection extends FakeConnection {
  readonly socket: WebSocket;
  readonly filters: string[];
  nextId: number;
}

/** MQTT 3.1.1 over WebSocket, just as much as clients need; every packet is in the hands of the test. */
export class FakeBroker {
  readonly #handlers: FakeBrokerHandlers;
  readonly #server = new WebSocketServer({ noServer: true, handleProtocols: () => "mqtt" });
  readonly #connections = new Set<Connection>();

  constructor(handlers: FakeBrokerHandlers) {
    this.#handlers = handlers;
  }

  /** Open and accepted connections, the oldest first. */
  get connections(): readonly FakeConnection[] {
    return [...this.#connections];
  }

  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#server.handleUpgrade(request, socket, head, (webSocket) => this.#accept(webSocket));
  }

  /** Sends to every connection that subscribed to the topic; answers how many. */
  deliver(topic: string, payload: string, qos: 0 | 1): number {
    const reached = [...this.#connections].filter(({ filters }) =>
      filters.some((filter) => topicMatches(filter, topic)),
    );
    for (const connection of reached) {
      const messageId = qos === 0 ? undefined : connection.nextId++;
      const packet = {
        cmd: "publish",
        topic,
        payload,
        qos,
        dup: false,
        retain: false,
        messageId,
      } as IPublishPacket;
      send(connection.socket, packet);
    }
    return reached.length;
  }

  close(): void {
    for (const connection of this.#connections) connection.drop();
    this.#server.close();
  }

  #accept(socket: WebSocket): void {
    const parser = mqttPacket.parser({ protocolVersion: 4 });
    let connection: Connection | undefined;
    parser.on("packet", (packet) => {
      if (packet.cmd === "connect") connection = this.#connect(socket, packet);
      else if (connection !== undefined) this.#handle(connection, packet);
    });
    parser.on("error", () => socket.terminate());
    socket.on("message", (data) => parser.parse(data as Buffer));
    socket.on("error", () => undefined);
    socket.on("close", () => {
      if (connection === undefined || !this.#connections.delete(connection)) return;
      this.#handlers.handleClose(connection);
    });
  }

  #connect(socket: WebSocket, packet: Packet & { cmd: "connect" }): Connection | undefined {
    const token = packet.password?.toString() ?? "";
    const { code, user } = this.#handlers.authenticate(token, packet.clientId);
    if (code !== null) send(socket, { cmd: "connack", returnCode: code, sessionPresent: false });
    if (code !== 0) {
      socket.close();
      return undefined;
    }
    const { clientId } = packet;
    // [MQTT-3.1.4-2]
    for (const other of this.#connections) if (other.clientId === clientId) other.drop();
    const will = packet.will && { topic: packet.will.topic, payload: packet.will.payload.toString() };
    const connection: Connection = {
      clientId,
      user,
      token,
      will,
      socket,
      filters: [],
      nextId: 1,
      drop: () => socket.terminate(),
    };
    this.#connections.add(connection);
    this.#handlers.handleOpen(connection);
    return connection;
  }

  #handle(connection: Connection, packet: Packet): void {
    const { socket } = connection;
    if (packet.cmd === "subscribe") {
      const filters = packet.subscriptions.map(({ topic }) => topic);
      const allowed = filters.map((filter) => this.#handlers.canSubscribe(connection, filter));
      if (allowed.includes(null)) return;
      const granted = allowed.map((one) => (one ? 1 : 128));
      connection.filters.push(...filters.filter((_, index) => granted[index] === 1));
      send(socket, { cmd: "suback", messageId: packet.messageId ?? 0, granted });
    } else if (packet.cmd === "publish") {
      const acknowledged = this.#handlers.handlePublish(connection, packet.topic, packet.payload.toString());
      if (acknowledged && packet.qos === 1) send(socket, { cmd: "puback", messageId: packet.messageId ?? 0 });
    } else if (packet.cmd === "pingreq") {
      send(socket, { cmd: "pingresp" });
    } else if (packet.cmd === "disconnect") {
      socket.close();
    }
  }
}

function send(socket: WebSocket, packet: Packet): void {
  if (socket.readyState === socket.OPEN) socket.send(mqttPacket.generate(packet));
}
