import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { Server as TlsServer } from "node:tls";
import { codeOf, OperatorError } from "./failure.ts";
import { plainForwardedFor } from "./plain-address.ts";
import type { TlsMaterial } from "./tls-files.ts";

/** Longest time from the first byte of a request to its last. */
const requestTimeoutMs = 30_000;

/** Longest time from the first byte of a request to the end of its head. */
const headersTimeoutMs = 15_000;

/** How often the two are looked at: a request ends so much later at most. */
const timeoutCheckMs = 5_000;

/** Longest head of a request: a query of `limits.presenceUsers` longest ids, every character escaped, beside a token. */
const maxHeaderSize = 32 * 1024;

/**
 * How long a connection stays open between two requests: longer than proxies and clients keep theirs (60-75 s), so that
 * it is never closed at the moment in which they send.
 */
const keepAliveTimeoutMs = 90_000;

/** When the system begins to ask a silent peer whether it is still there. */
const keepAliveInitialDelayMs = 60_000;

/**
 * An HTTP server that does not listen yet. A request that offers another protocol than WebSocket, as `h2c` of Java's
 * client, is an ordinary request (RFC 9110, section 7.8). `X-Forwarded-For` has plain addresses. `pathPrefix` is taken off
 * the paths that begin with it, and `/prefix` itself is sent on to `/prefix/`.
 */
export function createHttpServer(
  handle: RequestListener,
  tls: TlsMaterial | undefined,
  pathPrefix = "",
): Server {
  const timeouts = {
    requestTimeout: requestTimeoutMs,
    headersTimeout: headersTimeoutMs,
    connectionsCheckingInterval: timeoutCheckMs,
    keepAliveTimeout: keepAliveTimeoutMs,
  };
  const sockets = { noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAliveInitialDelayMs };
  const options = { ...sockets, ...timeouts, maxHeaderSize, shouldUpgradeCallback: offersWebSocket };
  const server = tls === undefined ? createServer(options) : createTlsServer({ ...options, ...tls });
  const begin = tls === undefined ? "connection" : "secureConnection";
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (!offersWebSocket(request)) return readAgain(request, socket, head, () => server.emit(begin, socket));
    plainForwardedFor(request);
    takeOffPrefix(request, pathPrefix);
  });
  return server.on("request", (request, response) => {
    plainForwardedFor(request);
    if (pathPrefix !== "" && request.url?.split("?", 1)[0] === pathPrefix) {
      const query = request.url.slice(pathPrefix.length);
      response.writeHead(308, { location: `${pathPrefix}/${query}`, "content-length": 0 }).end();
      return;
    }
    takeOffPrefix(request, pathPrefix);
    handle(request, response);
  });
}

/** Reverse proxies may strip the prefix or not: paths without it stay. */
function takeOffPrefix(request: IncomingMessage, pathPrefix: string): void {
  const { url = "" } = request;
  if (pathPrefix !== "" && url.startsWith(`${pathPrefix}/`)) request.url = url.slice(pathPrefix.length);
}

/** Shows another certificate to new connections; open ones stay. Does nothing where the server has no TLS. */
export function setCertificate(server: Server, material: TlsMaterial): void {
  if (server instanceof TlsServer) server.setSecureContext(material);
}

/** Whether a request asks for WebSocket. Only such a request may leave HTTP. */
function offersWebSocket({ headers }: IncomingMessage): boolean {
  return /\bwebsocket\b/i.test(headers.upgrade ?? "");
}

/**
 * Node before 22.21 and 24.9 does not ask `shouldUpgradeCallback`, and hands the connection over after the head of any
 * offer. This puts the head back without the offer, and lets the server read the request as from a new connection.
 */
function readAgain(request: IncomingMessage, socket: Duplex, head: Buffer, begin: () => void): void {
  const { method, url, httpVersion, rawHeaders } = request;
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const [name = "", value = ""] = rawHeaders.slice(at, at + 2);
    if (/^(?:upgrade|http2-settings)$/i.test(name)) continue;
    lines.push(`${name}: ${/^connection$/i.test(name) ? withoutOffer(value) : value}`);
  }
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"), head]));
  begin();
}

function withoutOffer(connection: string): string {
  const kept = connection.split(",").filter((name) => !/^\s*(?:upgrade|http2-settings)\s*$/i.test(name));
  return kept.length === 0 ? "keep-alive" : kept.join(",");
}

/** Names of the settings that choose a listener's host and port, for messages. */
export interface ListenerSettings {
  /** `CHAT21_HOST`. */
  readonly host: string;
  /** `CHAT21_HTTP_PORT`. */
  readonly port: string;
}

/** Listens; answers the port. Throws `OperatorError` that says what to do. */
export function listenOn(
  server: Server,
  host: string,
  port: number,
  chosenBy: ListenerSettings,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown) => reject(cannotListen(cause, host, port, chosenBy));
    server.once("error", fail);
    server.listen({ host, port }, () => {
      server.off("error", fail);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function remedyOf(code: string, chosenBy: ListenerSettings): string {
  switch (code) {
    case "EADDRINUSE":
      return `is in use; stop the program that listens there, or choose another with ${chosenBy.port}`;
    case "EACCES":
      return `needs a privilege that this user lacks; choose one above 1023 with ${chosenBy.port}`;
    case "EADDRNOTAVAIL":
      return `cannot be had: that is no address of this machine; choose another with ${chosenBy.host}`;
    case "ENOTFOUND":
      return `cannot be had: nobody knows that host; choose another with ${chosenBy.host}`;
    default:
      return `cannot be listened on (${code})`;
  }
}

function cannotListen(cause: unknown, host: string, port: number, chosenBy: ListenerSettings): OperatorError {
  return new OperatorError(`port ${port} on ${host} ${remedyOf(codeOf(cause), chosenBy)}`, { cause });
}

/**
 * Refuses every upgrade to WebSocket except those that another handler takes: one without a handler would hang.
 */
export function refuseOtherUpgrades(server: Server, isTaken: (request: IncomingMessage) => boolean): void {
  server.on("upgrade", (request: IncomingMessage, socket: Duplex) => {
    if (!offersWebSocket(request) || isTaken(request)) return;
    socket.on("error", () => {});
    socket.end("HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", () =>
      socket.destroy(),
    );
  });
}

/** Accepts no more requests, lets those under way come to an end, and cuts off the rest after `timeoutMs`. */
export function closeHttpServer(server: Server, timeoutMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), timeoutMs);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
  });
}
