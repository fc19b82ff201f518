import type { SecureContextOptions } from "node:tls";
import type { Edge, EdgeHandler, Log, Metrics } from "@chat21/engine";
import { ChatError } from "@chat21/protocol";
import { type EdgeLimits, resolveEdgeLimits } from "./edge-limits.ts";
import type { EdgeAddress, EdgeListenerOptions } from "./listen/edge-listener.ts";
import type { Acceptor, OpenListener } from "./listen/open-listener.ts";
import { openTcpListener } from "./listen/tcp-listener.ts";
import { openOnHttpServer, openWebSocketListener } from "./listen/web-socket-listener.ts";
import { Connections } from "./session/connections.ts";
import { sweepEveryMs } from "./session/sweep.ts";

/** An {@link Edge} inside this process. */
export interface EmbeddedEdge extends Edge {
  /**
   * The open ports, in the order of the listeners. A listener on the caller's own server has none. Empty until `start`
   * has resolved.
   */
  readonly addresses: readonly EdgeAddress[];
  /**
   * Shows another certificate to new connections of the listeners with TLS; open connections stay. Other options of
   * `node:tls` get their defaults. Throws when Node cannot use it; call it with one that was tried.
   */
  setTls(tls: SecureContextOptions): void;
}

/**
 * Creates an edge that speaks MQTT 5, 3.1.1 and 3.1 over TCP and WebSocket. It opens no port before `start`. Throws
 * `bad_request` for a limit out of range.
 */
export function createEmbeddedEdge(options: EmbeddedEdgeOptions): EmbeddedEdge {
  const { log, metrics } = options;
  const limits = resolveEdgeLimits(options.limits);
  let running: { connections: Connections; listeners: OpenListener[]; sweeper: NodeJS.Timeout } | null = null;
  let closing: Promise<void> | null = null;

  async function start(handler: EdgeHandler): Promise<void> {
    if (running !== null || closing !== null) throw new ChatError("conflict", "an edge is started once");
    const connections = new Connections({ handler, limits, log, metrics });
    const sweeper = setInterval(() => connections.sweep(), sweepEveryMs);
    running = { connections, listeners: [], sweeper };
    try {
      for (const listener of options.listeners) {
        running.listeners.push(await open(listener, connections, limits, log));
      }
    } catch (error) {
      await close(0);
      throw error;
    }
    for (const { address } of running.listeners)
      if (address) log.info({ url: address.url }, "MQTT is served");
  }

  async function shutDown(timeoutMs: number): Promise<void> {
    if (running === null) return;
    for (const listener of running.listeners) listener.stop();
    await running.connections.drain(timeoutMs);
    clearInterval(running.sweeper);
  }

  function close(timeoutMs: number): Promise<void> {
    closing ??= shutDown(timeoutMs);
    return closing;
  }

  return {
    get addresses() {
      return (running?.listeners ?? []).flatMap(({ address }) => address ?? []);
    },
    setTls(tls) {
      for (const listener of running?.listeners ?? []) listener.setTls?.(tls);
    },
    start,
    reaches: (app, user) => running?.connections.reaches(app, user) ?? false,
    deliver(deliveries) {
      running?.connections.deliver(deliveries);
      return undefined;
    },
    disconnect: (selector, reason) => running?.connections.disconnect(selector, reason) ?? 0,
    setPaused: (paused) => running?.connections.setPaused(paused),
    close,
  };
}

/** Parts and settings of an {@link EmbeddedEdge}. */
export interface EmbeddedEdgeOptions {
  readonly listeners: readonly EdgeListenerOptions[];
  /** A limit that is left out has its value of {@link defaultEdgeLimits}. */
  readonly limits?: Partial<EdgeLimits>;
  readonly log: Log;
  readonly metrics: Metrics;
}

async function open(
  options: EdgeListenerOptions,
  acceptor: Acceptor,
  limits: EdgeLimits,
  log: Log,
): Promise<OpenListener> {
  switch (options.kind) {
    case "tcp":
      return openTcpListener(options, acceptor, limits.connectTimeoutMs, log);
    case "ws":
      return openWebSocketListener(options, acceptor, limits, log);
    case "http-server":
      return openOnHttpServer(options, acceptor, limits);
  }
}
