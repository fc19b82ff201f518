import type { WebSocket } from "ws";
import { lingerMs, type Transport, type TransportOwner } from "./transport.ts";

/** MQTT in binary WebSocket messages. A packet may span messages, and a message may hold several ([MQTT-6.0.0-2]). */
export class WebSocketTransport implements Transport {
  readonly kind = "ws";
  readonly address: string;
  readonly #webSocket: WebSocket;

  constructor(webSocket: WebSocket, address: string) {
    this.#webSocket = webSocket;
    this.address = address;
  }

  get bufferedBytes(): number {
    return this.#webSocket.bufferedAmount;
  }

  attach(owner: TransportOwner): void {
    const webSocket = this.#webSocket;
    webSocket.on("message", (data, isBinary) => {
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

  end(): void {
    const webSocket = this.#webSocket;
    webSocket.close(closeCodes.normal);
    webSocket.resume();
    const timer = setTimeout(() => webSocket.terminate(), lingerMs);
    timer.unref();
    webSocket.once("close", () => clearTimeout(timer));
  }

  destroy(): void {
    this.#webSocket.terminate();
  }
}

const closeCodes = { normal: 1000, unsupportedData: 1003 } as const;

const binary = { binary: true } as const;

function ignore(): void {}
