import { once } from "node:events";
import { connect } from "node:net";
import { WebSocket } from "ws";
import { encodeConnect, encodeSubscribe, header } from "./packets.ts";

/** Events that a client reports. Bytes are valid during the call only. */
export interface RawClientEvents {
  /** A delivery whose payload is `[start, end)`. QoS 1 is acknowledged by the client itself. */
  handlePublish(buffer: Buffer, start: number, end: number): void;
  handlePuback(packetId: number): void;
  handleClose(): void;
}

/** How to connect. */
export interface RawClientOptions {
  /** `mqtt://host:port` or `ws://host:port/ws`. */
  readonly url: string;
  readonly clientId: string;
  readonly password: string;
  /** @default 0 (none) */
  readonly keepAliveSeconds?: number;
}

const writeBytes = 64 * 1_024;

/** The transport of the bytes. */
interface Wire {
  write(bytes: Buffer): void;
  destroy(): void;
  listen(handleData: (chunk: Buffer) => void, handleClose: () => void): void;
}

/**
 * An MQTT client that does next to nothing per message, so that a benchmark measures the server: no objects for
 * packets, one write per turn of the event loop.
 */
export class RawClient {
  readonly #wire: Wire;
  readonly #events: RawClientEvents;
  #rest: Buffer | null = null;
  #out = Buffer.allocUnsafe(writeBytes);
  #outBytes = 0;
  #flushes = false;
  #waiting = new Map<number, { readonly resolve: () => void; readonly reject: (error: Error) => void }>();

  private constructor(wire: Wire, events: RawClientEvents) {
    this.#wire = wire;
    this.#events = events;
    const handleClose = () => {
      const error = new Error("the server closed the connection instead of answering");
      for (const { reject } of this.#waiting.values()) reject(error);
      events.handleClose();
    };
    wire.listen((chunk) => this.#read(chunk), handleClose);
  }

  /** Resolves when CONNACK says 0. */
  static async connect(options: RawClientOptions, events: RawClientEvents): Promise<RawClient> {
    const client = new RawClient(await openWire(options.url), events);
    const { clientId, password, keepAliveSeconds = 0 } = options;
    const connected = client.#answer(header.connack);
    client.send(encodeConnect({ clientId, username: "JWT", password, keepAliveSeconds }));
    await connected;
    return client;
  }

  /** Resolves when the subscription is granted. */
  async subscribe(filter: string, qos: 0 | 1): Promise<void> {
    const granted = this.#answer(header.suback);
    this.send(encodeSubscribe(1, filter, qos));
    await granted;
  }

  /** Copies a packet into the buffer that is sent at the end of this turn; returns its place there until then. */
  send(packet: Buffer): { readonly buffer: Buffer; readonly at: number } {
    if (this.#outBytes + packet.length > this.#out.length) this.flush();
    if (packet.length > this.#out.length) this.#out = Buffer.allocUnsafe(packet.length);
    const at = this.#outBytes;
    packet.copy(this.#out, at);
    this.#outBytes += packet.length;
    this.#flushLater();
    return { buffer: this.#out, at };
  }

  flush(): void {
    if (this.#outBytes === 0) return;
    this.#wire.write(Buffer.from(this.#out.subarray(0, this.#outBytes)));
    this.#outBytes = 0;
  }

  close(): void {
    this.flush();
    this.#wire.destroy();
  }

  #flushLater(): void {
    if (this.#flushes) return;
    this.#flushes = true;
    setImmediate(() => {
      this.#flushes = false;
      this.flush();
    });
  }

  #answer(first: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.set(first, { resolve, reject });
    });
  }

  #read(chunk: Buffer): void {
    const buffer = this.#rest === null ? chunk : Buffer.concat([this.#rest, chunk]);
    this.#rest = null;
    let at = 0;
    for (;;) {
      let length = 0;
      let factor = 1;
      let body = at + 1;
      for (; body < buffer.length; factor *= 128) {
        const byte = buffer[body++] as number;
        length += (byte & 0x7f) * factor;
        if (byte < 0x80) {
          factor = 0;
          break;
        }
      }
      const end = body + length;
      if (factor !== 0 || end > buffer.length) break;
      this.#take(buffer, at, body, end);
      at = end;
    }
    if (at < buffer.length) this.#rest = at === 0 ? buffer : buffer.subarray(at);
  }

  #take(buffer: Buffer, start: number, body: number, end: number): void {
    const first = buffer[start] as number;
    if ((first & 0xf0) === header.publish) {
      const topicEnd = body + 2 + buffer.readUInt16BE(body);
      const isAcknowledged = (first & 6) !== 0;
      if (isAcknowledged) this.#acknowledge(buffer[topicEnd] as number, buffer[topicEnd + 1] as number);
      this.#events.handlePublish(buffer, isAcknowledged ? topicEnd + 2 : topicEnd, end);
    } else if (first === header.puback) {
      this.#events.handlePuback(buffer.readUInt16BE(body));
    } else {
      const code = buffer[end - 1] as number;
      if (first === header.connack && code !== 0) {
        this.#wire.destroy();
      } else {
        this.#waiting.get(first)?.resolve();
        this.#waiting.delete(first);
      }
    }
  }

  #acknowledge(high: number, low: number): void {
    if (this.#outBytes + 4 > this.#out.length) this.flush();
    this.#out[this.#outBytes++] = header.puback;
    this.#out[this.#outBytes++] = 2;
    this.#out[this.#outBytes++] = high;
    this.#out[this.#outBytes++] = low;
    this.#flushLater();
  }
}

function openWire(url: string): Promise<Wire> {
  return url.startsWith("ws") ? openWebSocket(url) : openTcp(url);
}

async function openTcp(url: string): Promise<Wire> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port || 1_883), noDelay: true });
  await once(socket, "connect");
  return {
    write: (bytes) => void socket.write(bytes),
    destroy: () => void socket.destroy(),
    listen: (handleData, handleClose) =>
      void socket
        .on("data", handleData)
        .on("error", () => {})
        .on("close", handleClose),
  };
}

async function openWebSocket(url: string): Promise<Wire> {
  const socket = new WebSocket(url, ["mqtt"], { perMessageDeflate: false });
  await once(socket, "open");
  return {
    write: (bytes) => socket.send(bytes),
    destroy: () => socket.terminate(),
    listen: (handleData, handleClose) =>
      void socket
        .on("message", handleData)
        .on("error", () => {})
        .on("close", handleClose),
  };
}
