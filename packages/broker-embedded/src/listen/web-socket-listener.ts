import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Duplex } from "node:stream";
import type { Log } from "@chat21/engine";
import { WebSocketServer } from "ws";
import type { EdgeLimits } from "../edge-limits.ts";
import { WebSocketTransport } from "../transport/web-socket-transport.ts";
import type { HttpServerListenerOptions, WebSocketListenerOptions } from "./edge-listener.ts";
import { EventStreams, isEventStreamPath } from "./event-streams.ts";
import { type Acceptor, listen, type OpenListener, urlOf } from "./open-listener.ts";
import { logErrors, socketOptions } from "./tcp-listener.ts";

/** Takes upgrades of `path`, and event streams, on the caller's HTTP server. */
export function openOnHttpServer(
  options: HttpServerListenerOptions,
  acceptor: Acceptor,
  limits: EdgeLimits,
): OpenListener {
  const { server, path = defaultPath } = options;
  const upgrade = createUpgrade(acceptor, limits, options.addressOf);
  const handleUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (isMqttPath(request, path) && offersWebSocket(request)) upgrade(request, socket, head);
  };
  const streams = new EventStreams(acceptor, limits, options.addressOf);
  const handleRequest = (request: IncomingMessage, response: ServerResponse) => {
    if (isEventStreamPath(request)) streams.handle(request, response);
  };
  server.on("upgrade", handleUpgrade).on("request", handleRequest);
  return {
    address: null,
    stop: () => {
      server.off("upgrade", handleUpgrade);
      streams.stop();
    },
  };
}

/** Opens a port for WebSocket and event streams only. Rejects when that fails. */
export async function openWebSocketListener(
  options: WebSocketListenerOptions,
  acceptor: Acceptor,
  limits: EdgeLimits,
  log: Log,
): Promise<OpenListener> {
  const { host, tls, path = defaultPath } = options;
  const shared = { ...socketOptions, shouldUpgradeCallback: offersWebSocket };
  const secured = tls
    ? createTlsServer({ ...tls, ...shared, handshakeTimeout: limits.connectTimeoutMs })
    : undefined;
  const server: Server = secured ?? createServer(shared);
  const streams = new EventStreams(acceptor, limits, options.addressOf);
  server.on("request", (request, response) => {
    if (isEventStreamPath(request)) return streams.handle(request, response);
    response.writeHead(426, { connection: "close", upgrade: "websocket" }).end();
  });
  const upgrade = createUpgrade(acceptor, limits, options.addressOf);
  server.on("upgrade", (request, socket, head) => {
    // Node before 22.21 and 24.9 hands over any offer.
    if (!offersWebSocket(request)) refuse(socket, "426 Upgrade Required\r\nUpgrade: websocket");
    else if (isMqttPath(request, path)) upgrade(request, socket, head);
    else refuse(socket, "404 Not Found");
  });
  const port = await listen(server, host, options.port);
  logErrors(server, log);
  return {
    address: { kind: "ws", host, port, url: urlOf(tls ? "wss" : "ws", host, port, path) },
    ...(secured === undefined ? {} : { setTls: (given) => secured.setSecureContext(given) }),
    stop: () => {
      streams.stop();
      server.close();
      server.closeIdleConnections();
    },
  };
}

/** Sub-protocols in order of preference. Clients of MQTT 3.1 ask for the second. */
const subProtocols = ["mqtt", "mqttv3.1"] as const;
const defaultPath = "/ws";

type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

function createUpgrade(
  acceptor: Acceptor,
  limits: EdgeLimits,
  addressOf: (request: IncomingMessage) => string = (request) => request.socket.remoteAddress ?? "",
): Upgrade {
  const webSockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    // Messages are small, and a compressor costs 300 KiB per connection.
    perMessageDeflate: false,
    maxPayload: limits.maxWebSocketMessageBytes,
    handleProtocols: (offered) => subProtocols.find((name) => offered.has(name)) ?? false,
  });
  return (request, socket, head) => {
    if (!acceptor.hasRoom()) return refuse(socket, "503 Service Unavailable");
    // [MQTT-6.0.0-3]
    if (!offersMqtt(request)) return refuse(socket, "400 Bad Request");
    webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      acceptor.accept(new WebSocketTransport(webSocket, addressOf(request), limits.webSocketSilenceMs));
    });
  };
}

/** Any other offer, as `h2c` of Java's client, is none of ours (RFC 9110, section 7.8). */
function offersWebSocket({ headers }: IncomingMessage): boolean {
  return /\bwebsocket\b/i.test(headers.upgrade ?? "");
}

function offersMqtt(request: IncomingMessage): boolean {
  const offered = (request.headers["sec-websocket-protocol"] ?? "").split(",").map((name) => name.trim());
  return subProtocols.some((name) => offered.includes(name));
}

/** Other paths where clients of other brokers look for MQTT. */
const usualPath = "/mqtt";

/** Whether a request is for MQTT: its path is `path`, with or without a slash at the end, or `/mqtt`. */
export function isMqttPath({ url = "" }: Pick<IncomingMessage, "url">, path: string = defaultPath): boolean {
  const asked = url.split("?", 1)[0];
  return asked === path || asked === `${path}/` || asked === usualPath;
}

function refuse(socket: Duplex, status: string): void {
  socket.on("error", () => {});
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy());
}
