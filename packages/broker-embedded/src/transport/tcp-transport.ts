import type { Socket } from "node:net";
import { limitLinger, type Transport, type TransportOwner } from "./transport.ts";

/** MQTT directly on TCP or TLS. */
export class TcpTransport implements Transport {
  readonly kind = "tcp";
  readonly address: string;
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.address = socket.remoteAddress ?? "";
  }

  get bufferedBytes(): number {
    return this.#socket.writableLength;
  }

  attach(owner: TransportOwner): void {
    const socket = this.#socket;
    socket.on("data", (chunk: Buffer) => owner.handleData(chunk));
    socket.on("end", () => owner.handleEnd());
    socket.on("close", () => owner.handleGone());
    // "close" always follows, and is handled above.
    socket.on("error", ignore);
  }

  write(chunks: readonly Buffer[]): void {
    const socket = this.#socket;
    if (chunks.length === 1) {
      socket.write(chunks[0] as Buffer);
      return;
    }
    socket.cork();
    for (const chunk of chunks) socket.write(chunk);
    socket.uncork();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** The kernel's keep-alive does it. */
  sweep(): void {}

  end(): void {
    const socket = this.#socket;
    socket.end();
    // Unread bytes at close would make the kernel reset the connection, and our last bytes would be lost.
    socket.resume();
    limitLinger(socket, () => socket.destroy());
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

function ignore(): void {}
