import type { WebSocket } from "ws";
import { sweepEveryMs } from "../session/sweep.ts";
import { limitLinger, type Transport, type TransportOwner } from "./transport.ts";

/** MQTT in binary WebSocket messages. A packet may span messages, and a message may hold several ([MQTT-6.0.0-2]). */
export class WebSocketTransport implements Transport {
  readonly kind = "ws";
  readonly address: string;
  readonly #webSocket: WebSocket;
  readonly #silenceMs: number;
  /** Since the peer's last sign of life, while it was read. */
  #silentMs = 0;

  constructor(webSocket: WebSocket, address: string, silenceMs: number) {
    this.#webSocket = webSocket;
    this.#silenceMs = silenceMs;
    this.address = address;
  }

  get bufferedBytes(): number {
    return this.#webSocket.bufferedAmount;
  }

  attach(owner: TransportOwner): void {
    const webSocket = this.#webSocket;
    const hear = () => {
      this.#silentMs = 0;
    };
    webSocket.on("ping", hear);
    webSocket.on("pong", hear);
    webSocket.on("message", (data, isBinary) => {
      hear();
      // [MQTT-6.0.0-1]. The server's binary type is `nodebuffer`, so `data` is one Buffer.
      if (isBinary) return owner.handleData(data as Buffer);
      webSocket.close(closeCodes.unsupportedData, "MQTT needs binary frames");
      owner.handleEnd();
    });
    webSocket.on("close", () => {
      owner.handleEnd();
      owner.handleGone();
    });
    // "close" always follows, and is handled above.
    webSocket.on("error", ignore);
  }

  write(chunks: readonly Buffer[]): void {
    if (this.#webSocket.readyState !== this.#webSocket.OPEN) return;
    for (const chunk of chunks) this.#webSocket.send(chunk, binary);
  }

  pause(): void {
    this.#webSocket.pause();
  }

  resume(): void {
    this.#webSocket.resume();
  }

  sweep(): void {
    const webSocket = this.#webSocket;
    // A pong of a peer that is not read waits behind its messages.
    if (webSocket.isPaused || webSocket.readyState !== webSocket.OPEN) return;
    const wasSilentMs = this.#silentMs;
    this.#silentMs += sweepEveryMs;
    if (this.#silentMs >= 2 * this.#silenceMs) webSocket.terminate();
    else if (wasSilentMs < this.#silenceMs && this.#silentMs >= this.#silenceMs) webSocket.ping();
  }

  end(): void {
    const webSocket = this.#webSocket;
    webSocket.close(closeCodes.normal);
    webSocket.resume();
    limitLinger(webSocket, () => webSocket.terminate());
  }

  destroy(): void {
    this.#webSocket.terminate();
  }
}

const closeCodes = { normal: 1000, unsupportedData: 1003 } as const;

const binary = { binary: true } as const;

function ignore(): void {}
