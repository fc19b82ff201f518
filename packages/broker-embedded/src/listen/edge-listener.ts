import type { IncomingMessage, Server } from "node:http";
import type { TlsOptions } from "node:tls";

/** A place where clients connect. */
export type EdgeListenerOptions = TcpListenerOptions | WebSocketListenerOptions | HttpServerListenerOptions;

/** Listens for MQTT on a TCP port. */
export interface TcpListenerOptions {
  readonly kind: "tcp";
  /** Address to listen on. */
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Certificate, key and other options of `node:tls`. @default no TLS */
  readonly tls?: TlsOptions;
}

/** Listens for MQTT over WebSocket on a separate port, and over event streams (`EventStreams`). Other HTTP requests get 426. */
export interface WebSocketListenerOptions {
  readonly kind: "ws";
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** See `isMqttPath`. @default "/ws" */
  readonly path?: string;
  /** @default no TLS */
  readonly tls?: TlsOptions;
  /**
   * Returns the peer address of a request, for logs and limits. Set it behind a trusted proxy. @default the socket's
   */
  readonly addressOf?: (request: IncomingMessage) => string;
}

/**
 * Takes MQTT over WebSocket, and over event streams, on the caller's HTTP server. The caller starts and stops that server. The
 * edge takes only upgrades of `path`, and requests of which `isEventStreamPath` is true; the caller must leave those alone.
 */
export interface HttpServerListenerOptions {
  readonly kind: "http-server";
  readonly server: Server;
  /** See `isMqttPath`. @default "/ws" */
  readonly path?: string;
  /** Same as in {@link WebSocketListenerOptions}. */
  readonly addressOf?: (request: IncomingMessage) => string;
}

/** An open port of an edge. */
export interface EdgeAddress {
  readonly kind: "tcp" | "ws";
  readonly host: string;
  readonly port: number;
  /** `mqtt://…`, `mqtts://…`, `ws://…/ws` or `wss://…/ws`. */
  readonly url: string;
}
