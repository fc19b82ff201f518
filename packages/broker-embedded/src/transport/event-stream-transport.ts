import type { ServerResponse } from "node:http";
import { sweepEveryMs } from "../session/sweep.ts";
import { limitLinger, type Transport, type TransportOwner } from "./transport.ts";

/** After so long without a byte a comment goes out, so that proxies do not take the stream for dead. */
const silenceMs = 20_000;

/**
 * MQTT without WebSocket, for networks that let only plain HTTP through: the server's bytes are events of one
 * `text/event-stream`, in Base64, and the client's bytes are the bodies of requests beside it (`EventStreams`).
 */
export class EventStreamTransport implements Transport {
  readonly kind = "sse";
  readonly address: string;
  readonly #response: ServerResponse;
  #owner: TransportOwner | undefined;
  #silentMs = 0;
  /** Resolves when the stream is read again. `undefined` while it is read. */
  #paused: PromiseWithResolvers<void> | undefined;

  constructor(response: ServerResponse, address: string) {
    this.#response = response;
    this.address = address;
  }

  get bufferedBytes(): number {
    return this.#response.writableLength;
  }

  attach(owner: TransportOwner): void {
    this.#owner = owner;
    this.#response.on("close", () => {
      this.#paused?.resolve();
      owner.handleEnd();
      owner.handleGone();
    });
    // "close" always follows, and is handled above.
    this.#response.on("error", ignore);
  }

  /** Hands over bytes of the client. Resolves when they are taken: not while the edge does not read. */
  async take(bytes: Buffer): Promise<void> {
    while (this.#paused !== undefined) await this.#paused.promise;
    if (!this.#response.closed) this.#owner?.handleData(bytes);
  }

  write(chunks: readonly Buffer[]): void {
    if (this.#response.writableEnded || this.#response.destroyed) return;
    const bytes = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
    this.#response.write(`data:${bytes.toString("base64")}\n\n`);
    this.#silentMs = 0;
  }

  pause(): void {
    this.#paused ??= Promise.withResolvers<void>();
  }

  resume(): void {
    this.#paused?.resolve();
    this.#paused = undefined;
  }

  sweep(): void {
    this.#silentMs += sweepEveryMs;
    if (this.#silentMs < silenceMs || this.#response.writableEnded) return;
    this.#response.write(":\n\n");
    this.#silentMs = 0;
  }

  end(): void {
    const response = this.#response;
    response.end();
    this.resume();
    limitLinger(response, () => response.destroy());
  }

  destroy(): void {
    this.#response.destroy();
  }
}

function ignore(): void {}
