import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** One request that arrived. */
interface ReceivedRequest {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** What a receiver does with a request. The request is already in `received`. */
export type Handler = (
  request: ReceivedRequest,
  response: ServerResponse,
  number: number,
) => void | Promise<void>;

/** A backend on loopback. */
export interface Receiver {
  /** Ends with `/hook`. */
  readonly url: string;
  readonly port: number;
  readonly received: readonly ReceivedRequest[];
  /** Connections accepted so far. */
  connections(): number;
  close(): Promise<void>;
}

/** Answers with a status and, if given, headers and a body. */
export function answer(status: number, headers: Record<string, string> = {}, body = ""): Handler {
  return (_request, response) => void response.writeHead(status, headers).end(body);
}

/** Starts a backend; `number` counts requests from 1. */
export async function startReceiver(handle: Handler = answer(200), host = "127.0.0.1"): Promise<Receiver> {
  const received: ReceivedRequest[] = [];
  let connections = 0;
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const got = {
      path: request.url ?? "",
      headers: request.headers,
      text: Buffer.concat(chunks).toString("utf8"),
    };
    received.push(got);
    await handle(got, response, received.length);
  });
  server.on("connection", () => {
    connections += 1;
  });
  server.listen(0, host);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${port}/hook`,
    port,
    received,
    connections: () => connections,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
