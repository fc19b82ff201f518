import { once } from "node:events";
import { Agent, get, type IncomingMessage, request } from "node:http";
import { connect, type Socket } from "node:net";
import { generate, type Packet, type Parser, parser } from "mqtt-packet";
import { WebSocket } from "ws";

/** A client that sends only the packets of a test, and does nothing by itself. */
export interface RawConnection {
  /** Received packets that were not taken yet. */
  readonly received: readonly Packet[];
  /** Resolves when either side has closed the connection. */
  readonly closed: Promise<void>;
  /** The negotiated sub-protocol; empty on TCP. */
  readonly subProtocol: string;
  /** A CONNECT of version 5 makes this a connection of version 5. */
  send(...packets: Packet[]): void;
  sendBytes(bytes: Uint8Array): void;
  /** Takes the next packet. Rejects when the connection closes before it comes. */
  next(): Promise<Packet>;
  /** Stops reading, so that the server's output piles up. */
  stopReading(): void;
  /** Ends the transport with a FIN or a closing handshake, without DISCONNECT. */
  end(): void;
  /** Cuts the transport at once. */
  destroy(): void;
}

/** The transport of MQTT. */
export type Carrier = "sse" | "tcp" | "ws";

/** Encodes packets of version 3.1.1 one after the other. */
export function encode(...packets: readonly Packet[]): Buffer {
  return Buffer.concat(packets.map((packet) => generate(packet)));
}

/** Encodes packets of version 5 one after the other. */
export function encode5(...packets: readonly Packet[]): Buffer {
  return Buffer.concat(packets.map((packet) => generate(packet, { protocolVersion: 5 })));
}

/** Connects over TCP to this machine. */
export async function openTcp(port: number): Promise<RawConnection> {
  const socket = connect({ host: "127.0.0.1", port, noDelay: true });
  await once(socket, "connect");
  return new Raw(
    {
      write: (bytes) => socket.write(bytes),
      pause: () => socket.pause(),
      end: () => socket.end(),
      destroy: () => socket.resetAndDestroy(),
    },
    (raw) => {
      socket.on("data", (chunk: Buffer) => raw.parser.parse(chunk));
      listen(socket, raw);
    },
  );
}

/** Connects over WebSocket. Rejects when the upgrade is refused. */
export async function openWebSocket(url: string, subProtocols: string[] = ["mqtt"]): Promise<RawConnection> {
  const socket = new WebSocket(url, subProtocols);
  await once(socket, "open");
  return new Raw(
    {
      write: (bytes) => socket.send(bytes),
      pause: () => socket.pause(),
      end: () => socket.close(),
      destroy: () => socket.terminate(),
    },
    (raw) => {
      socket.on("message", (chunk: Buffer) => raw.parser.parse(chunk));
      listen(socket, raw);
    },
    socket.protocol,
  );
}

/** Most bytes of one request beside an event stream, where more than one write waits. */
const bytesOfRequest = 256 * 1024;

/** Takes items from the front until there are so many bytes; at least one. */
function takeUpTo(items: Uint8Array[], most: number): Uint8Array[] {
  let count = 0;
  for (let bytes = 0; count < items.length && bytes < most; count += 1) bytes += items[count]?.length ?? 0;
  return items.splice(0, count);
}

/** Opens an event stream beside `url`, the address of WebSocket. Rejects when it is refused. */
export async function openEventStream(url: string): Promise<RawConnection> {
  const base = new URL("/sse", url.replace(/^ws/, "http"));
  const agent = new Agent({ keepAlive: true });
  const [response] = (await once(get(base, { agent }), "response")) as [IncomingMessage];
  if (response.statusCode !== 200) throw new Error(`the stream was refused: ${response.statusCode}`);
  response.setEncoding("utf8").on("error", () => {});
  const [events, name] = await eventsOf(response);
  const waiting: Uint8Array[] = [];
  let number = 0;
  let sending: Promise<void> | undefined;
  /** One request at a time brings what was written during the one before. */
  const send = async () => {
    while (waiting.length > 0) {
      const body = Buffer.concat(takeUpTo(waiting, bytesOfRequest));
      number += 1;
      const posted = request(new URL(`/sse/${name}/${number}`, base), { agent, method: "POST" });
      const [answer] = await once(posted.on("error", () => {}).end(body), "response");
      answer.resume();
    }
    sending = undefined;
  };
  return new Raw(
    {
      write: (bytes) => {
        waiting.push(bytes);
        sending ??= send().catch(() => {});
      },
      pause: () => response.pause(),
      end: () => void (sending ?? Promise.resolve()).then(() => response.destroy()),
      destroy: () => response.destroy(),
    },
    (raw) => {
      events((bytes) => raw.parser.parse(bytes));
      response.on("close", () => {
        agent.destroy();
        raw.handleClosed();
      });
    },
  );
}

type Listen = (handle: (bytes: Buffer) => void) => void;

/** Resolves with the name of the stream, and a function that hands over all further bytes. */
function eventsOf(response: IncomingMessage): Promise<[Listen, string]> {
  let text = "";
  const waiting: Buffer[] = [];
  let handle = (bytes: Buffer): void => void waiting.push(bytes);
  const listen: Listen = (given) => {
    handle = given;
    for (const bytes of waiting.splice(0)) given(bytes);
  };
  return new Promise((resolve, reject) => {
    response.on("close", () => reject(new Error("closed before it was open")));
    response.on("data", (chunk: string) => {
      text += chunk;
      for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
        const event = text.slice(0, end);
        text = text.slice(end + 2);
        const data = /^data:(.*)$/m.exec(event)?.[1] ?? "";
        if (event.startsWith("event:open")) resolve([listen, data]);
        else if (data !== "") handle(Buffer.from(data, "base64"));
      }
    });
  });
}

function listen(socket: Socket | WebSocket, raw: Raw): void {
  socket.on("error", () => {});
  socket.on("close", () => raw.handleClosed());
}

interface Wire {
  write(bytes: Uint8Array): void;
  pause(): void;
  end(): void;
  destroy(): void;
}

class Raw implements RawConnection {
  readonly received: Packet[] = [];
  readonly closed: Promise<void>;
  parser: Parser = parser();
  readonly subProtocol: string;
  readonly #wire: Wire;
  #isClosed = false;
  #encode = encode;
  #handleClosed: () => void = () => {};
  readonly #waiting: { resolve: (packet: Packet) => void; reject: (error: Error) => void }[] = [];

  constructor(wire: Wire, attach: (raw: Raw) => void, subProtocol = "") {
    this.#wire = wire;
    this.subProtocol = subProtocol;
    this.closed = new Promise((resolve) => {
      this.#handleClosed = resolve;
    });
    this.parser.on("packet", (packet: Packet) => this.#receive(packet));
    attach(this);
  }

  #receive(packet: Packet): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.received.push(packet);
    else waiting.resolve(packet);
  }

  handleClosed(): void {
    this.#isClosed = true;
    this.#handleClosed();
    for (const { reject } of this.#waiting.splice(0)) reject(new Error("closed instead of answered"));
  }

  send(...packets: Packet[]): void {
    const [first] = packets;
    if (first?.cmd === "connect" && first.protocolVersion === 5) {
      this.#encode = encode5;
      this.parser = parser({ protocolVersion: 5 });
      this.parser.on("packet", (packet: Packet) => this.#receive(packet));
    }
    this.sendBytes(this.#encode(...packets));
  }

  sendBytes(bytes: Uint8Array): void {
    if (!this.#isClosed) this.#wire.write(bytes);
  }

  next(): Promise<Packet> {
    const packet = this.received.shift();
    if (packet !== undefined) return Promise.resolve(packet);
    if (this.#isClosed) return Promise.reject(new Error("closed instead of answered"));
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  stopReading(): void {
    this.#wire.pause();
  }

  end(): void {
    this.#wire.end();
  }

  destroy(): void {
    this.#wire.destroy();
  }
}
