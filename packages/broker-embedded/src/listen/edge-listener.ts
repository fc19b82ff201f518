import type { IncomingMessage, Server } from "node:http";
import type { TlsOptions } from "node:tls";

/** MQTT on TCP. */
export interface TcpListenerOptions {
  readonly kind: "tcp";
  /** Address to listen on. */
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Certificate, key and whatever else `node:tls` takes. @default no TLS */
  readonly tls?: TlsOptions;
}

/** MQTT over WebSocket on a port of its own; plain HTTP requests get 426. */
export interface WebSocketListenerOptions {
  readonly kind: "ws";
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** @default "/ws" */
  readonly path?: string;
  /** @default no TLS */
  readonly tls?: TlsOptions;
  /** Peer address of a request, for logs and limits: set it behind a trusted proxy. @default the socket's */
  readonly addressOf?: (request: IncomingMessage) => string;
}

/**
 * MQTT over WebSocket on an HTTP server of the caller, who starts and stops it. Only upgrades of `path` are taken;
 * any other is left to whoever else listens for them.
 */
export interface HttpServerListenerOptions {
  readonly kind: "http-server";
  readonly server: Server;
  /** @default "/ws" */
  readonly path?: string;
  /** As in {@link WebSocketListenerOptions}. */
  readonly addressOf?: (request: IncomingMessage) => string;
}

/** One place where clients connect. */
export type EdgeListenerOptions = TcpListenerOptions | WebSocketListenerOptions | HttpServerListenerOptions;

/** A port that an edge has opened. */
export interface EdgeAddress {
  readonly kind: "tcp" | "ws";
  readonly host: string;
  readonly port: number;
  /** `mqtt://…`, `mqtts://…`, `ws://…/ws` or `wss://…/ws`. */
  readonly url: string;
}
