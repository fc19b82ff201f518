import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { EdgeLimits } from "../edge-limits.ts";
import { EventStreamTransport } from "../transport/event-stream-transport.ts";
import type { Acceptor } from "./open-listener.ts";

/** Path of MQTT without WebSocket. */
const eventStreamPath = "/sse";

/** Some proxies hold back the first bytes of an answer. */
const padding = `:${" ".repeat(2_048)}\n\n`;

const streamHead = {
  "content-type": "text/event-stream",
  "cache-control": "no-store, no-transform",
  "x-accel-buffering": "no",
} as const;

/** Whether a request is for MQTT without WebSocket: its path is `/sse`, or below it. */
export function isEventStreamPath({ url = "" }: Pick<IncomingMessage, "url">): boolean {
  const asked = url.split("?", 1)[0] ?? "";
  return asked === eventStreamPath || asked.startsWith(`${eventStreamPath}/`);
}

interface Stream {
  readonly transport: EventStreamTransport;
  /** Number of the last request whose body is here. */
  last: number;
  /** Resolves when that body is taken. */
  taken: Promise<void>;
  /** The next body is on its way. */
  isReading: boolean;
}

/**
 * MQTT over two kinds of requests. `GET /sse` opens a connection: its answer is a `text/event-stream` that begins with an
 * event `open`, whose data is the connection's secret name; each later event holds bytes of MQTT in Base64. `POST
 * /sse/{name}/{number}` brings the client's bytes, one request after the other, numbered from 1. It is answered with 204
 * when the edge has read them. A request that is sent again, because its answer got lost, has no effect.
 *
 * Such a connection is like any other after that: it begins with CONNECT, and ends when its stream ends. Pages of other
 * origins may use it as they may use WebSocket: nothing here goes by cookies.
 */
export class EventStreams {
  readonly #acceptor: Acceptor;
  readonly #limits: EdgeLimits;
  readonly #addressOf: (request: IncomingMessage) => string;
  readonly #streams = new Map<string, Stream>();
  #isStopped = false;

  constructor(
    acceptor: Acceptor,
    limits: EdgeLimits,
    addressOf: (request: IncomingMessage) => string = (request) => request.socket.remoteAddress ?? "",
  ) {
    this.#acceptor = acceptor;
    this.#limits = limits;
    this.#addressOf = addressOf;
  }

  /** Answers a request whose path is one of {@link isEventStreamPath}. */
  handle(request: IncomingMessage, response: ServerResponse): void {
    response.setHeader("access-control-allow-origin", "*");
    const [, , name, number] = (request.url?.split("?", 1)[0] ?? "").split("/");
    const isStream = name === undefined || name === "";
    if (request.method === "OPTIONS") answer(response, 204, { "access-control-allow-methods": "GET, POST" });
    else if (isStream && request.method === "GET") this.#open(request, response);
    else if (isStream) answer(response, 405, { allow: "GET, OPTIONS" });
    else if (request.method !== "POST") answer(response, 405, { allow: "POST, OPTIONS" });
    else {
      const stream = this.#streams.get(name);
      if (stream === undefined) refuse(request, response, 404);
      else this.#take(request, response, stream, Number(number)).catch(() => response.destroy());
    }
  }

  /** Opens no more streams. Those that are open go on. */
  stop(): void {
    this.#isStopped = true;
  }

  #open(request: IncomingMessage, response: ServerResponse): void {
    if (this.#isStopped || !this.#acceptor.hasRoom()) {
      answer(response, 503, { "retry-after": "1" });
      return;
    }
    const name = randomBytes(16).toString("base64url");
    const transport = new EventStreamTransport(response, this.#addressOf(request));
    this.#streams.set(name, { transport, last: 0, taken: Promise.resolve(), isReading: false });
    response.on("close", () => this.#streams.delete(name));
    response.writeHead(200, streamHead);
    response.write(`${padding}event:open\ndata:${name}\n\n`);
    this.#acceptor.accept(transport);
  }

  async #take(
    request: IncomingMessage,
    response: ServerResponse,
    stream: Stream,
    number: number,
  ): Promise<void> {
    if (number === stream.last + 1 && !stream.isReading) {
      stream.isReading = true;
      const body = await readBody(request, this.#limits.maxWebSocketMessageBytes).finally(() => {
        stream.isReading = false;
      });
      if (body === null) return refuse(request, response, 413);
      stream.last = number;
      stream.taken = stream.transport.take(body);
    } else if (number !== stream.last || number === 0) return refuse(request, response, 409);
    else request.resume();
    await stream.taken;
    answer(response, 204);
  }
}

/** `null`: it is too large. Rejects when the client goes away in its middle. */
async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function answer(response: ServerResponse, status: number, headers: Record<string, string> = {}): void {
  response.writeHead(status, { "cache-control": "no-store", ...headers }).end();
}

/** The rest of the body is not read. */
function refuse(request: IncomingMessage, response: ServerResponse, status: number): void {
  answer(response, status, { connection: "close" });
  request.resume();
}
