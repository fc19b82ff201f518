import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import type { Log } from "@chat21/engine";
import { TcpTransport } from "../transport/tcp-transport.ts";
import type { TcpListenerOptions } from "./edge-listener.ts";
import { type Acceptor, listen, type OpenListener, urlOf } from "./open-listener.ts";

/** Opens a TCP or TLS port. Rejects when that fails. */
export async function openTcpListener(
  options: TcpListenerOptions,
  acceptor: Acceptor,
  handshakeTimeoutMs: number,
  log: Log,
): Promise<OpenListener> {
  const { host, tls } = options;
  const accept = (socket: Socket) => {
    if (acceptor.hasRoom()) acceptor.accept(new TcpTransport(socket));
    else socket.destroy();
  };
  const secured = tls
    ? createTlsServer({ ...tls, ...socketOptions, handshakeTimeout: handshakeTimeoutMs }, accept)
    : undefined;
  const server = secured ?? createServer(socketOptions, accept);
  server.on("tlsClientError", (error) => log.debug({ error: error.message }, "a TLS handshake failed"));
  const port = await listen(server, host, options.port);
  logErrors(server, log);
  return {
    address: { kind: "tcp", host, port, url: urlOf(tls ? "mqtts" : "mqtt", host, port) },
    ...(secured === undefined ? {} : { setTls: (given) => secured.setSecureContext(given) }),
    stop: () => void server.close(),
  };
}

/** Small packets must not wait for each other. A vanished peer must be noticed even without MQTT's keep-alive. */
export const socketOptions = { noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 } as const;

/** A failed accept (for example, no file descriptors left) must not end the process. */
export function logErrors(server: Server, log: Log): void {
  server.on("error", (error) => log.error({ error: error.message }, "a listener failed to accept"));
}
