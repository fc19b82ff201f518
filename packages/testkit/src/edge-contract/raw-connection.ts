import { once } from "node:events";
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
export type Carrier = "tcp" | "ws";

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
