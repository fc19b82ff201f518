import type { SocketFallback } from "./connection/socket-fallback.ts";

export type { FallbackSocket, SocketFallback } from "./connection/socket-fallback.ts";

/** Most bytes of one request, where more than one packet waits. */
const bytesOfRequest = 256 * 1024;
/** A request without an answer is sent again so many times; the server takes it once. */
const retries = 2;
const retryAfterMs = 1_000;
/** Longest time in which the last bytes go out after `close`. */
const lastBytesMs = 1_000;

/**
 * A fallback for browsers whose network blocks WebSocket: the server's bytes come as server-sent events, the client's bytes go as
 * `POST` requests, one after the other. Messages, order and acknowledgements are those of MQTT over WebSocket; what differs is
 * speed, and that a page holds one of its few HTTP/1.1 connections. Give it to `connect`:
 *
 * ```ts
 * import { connect } from "@chat21/client-sdk";
 * import { eventStream } from "@chat21/client-sdk/event-stream";
 *
 * const chat = await connect({ url, token, fallback: eventStream });
 * ```
 *
 * In Node it has no effect: `mqtt:` and `mqtts:` need no WebSocket. `mqttUrl` is that of WebSocket; the stream is `sse` in the place of its last part. Behind several servers, all requests
 * of a client must reach the same one (docs/operations.md).
 */
export const eventStream: SocketFallback = (mqttUrl, fetch) => new EventStreamSocket(mqttUrl, fetch);

class EventStreamSocket extends EventTarget {
  readonly OPEN = 1;
  readyState = 0;
  binaryType = "arraybuffer";
  readonly #base: string;
  readonly #fetch: typeof globalThis.fetch;
  readonly #abort = new AbortController();
  readonly #waiting: Uint8Array[] = [];
  #name = "";
  #number = 0;
  #sending: Promise<void> | undefined;

  constructor(mqttUrl: string, fetch: typeof globalThis.fetch) {
    super();
    this.#fetch = fetch;
    this.#base = mqttUrl
      .replace(/^ws/, "http")
      .replace(/[?#].*$/, "")
      .replace(/\/[^/]*$/, "/sse");
    this.#receive()
      .catch(() => {})
      .finally(() => this.#end());
  }

  get bufferedAmount(): number {
    return this.#waiting.reduce((sum, { length }) => sum + length, 0);
  }

  send(bytes: Uint8Array): void {
    this.#waiting.push(bytes);
    this.#sending ??= this.#send().catch(() => this.#end());
  }

  close(): void {
    if (this.readyState >= 2) return;
    this.readyState = 2;
    const end = () => this.#end();
    setTimeout(end, lastBytesMs);
    void (this.#sending ?? Promise.resolve()).then(end);
  }

  async #receive(): Promise<void> {
    const { signal } = this.#abort;
    const headers = { accept: "text/event-stream" };
    const answer = await this.#fetch(this.#base, { signal, headers, cache: "no-store" });
    if (!answer.ok || answer.body === null) throw new Error(`the stream was refused: ${answer.status}`);
    const reader = answer.body.getReader();
    const decoder = new TextDecoder();
    let text = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      text += decoder.decode(value, { stream: true });
      const events = text.split("\n\n");
      text = events.pop() ?? "";
      for (const event of events) this.#handle(event);
    }
  }

  #handle(event: string): void {
    const data = /^data:(.*)$/m.exec(event)?.[1] ?? "";
    if (event.startsWith("event:open")) {
      this.#name = data;
      if (this.readyState === 0) this.readyState = 1;
      this.dispatchEvent(new Event("open"));
    } else if (data !== "") {
      const { buffer } = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
      this.dispatchEvent(new MessageEvent("message", { data: buffer }));
    }
  }

  /** One request at a time brings what was written during the one before. */
  async #send(): Promise<void> {
    while (this.#waiting.length > 0) {
      const body = [this.#waiting.shift() as Uint8Array];
      let bytes = body[0]?.length ?? 0;
      for (
        let next = this.#waiting[0];
        next !== undefined && bytes < bytesOfRequest;
        next = this.#waiting[0]
      ) {
        bytes += next.length;
        body.push(next);
        this.#waiting.shift();
      }
      this.#number += 1;
      await this.#post(new Blob(body as Uint8Array<ArrayBuffer>[]));
    }
    this.#sending = undefined;
  }

  async #post(body: Blob): Promise<void> {
    const { signal } = this.#abort;
    for (let left = retries; ; left -= 1) {
      try {
        const address = `${this.#base}/${this.#name}/${this.#number}`;
        const { status } = await this.#fetch(address, { method: "POST", body, signal });
        if (status === 204) return;
        throw new Error(`the bytes were refused: ${status}`);
      } catch (thrown) {
        if (left === 0 || signal.aborted || !(thrown instanceof TypeError)) throw thrown;
        await new Promise((resolve) => setTimeout(resolve, retryAfterMs));
      }
    }
  }

  #end(): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.#abort.abort();
    this.dispatchEvent(new Event("close"));
  }
}
