import type {
  ConnectAttempt,
  Delivery,
  Edge,
  EdgeHandler,
  EventSink,
  Invalidations,
  Log,
  Metrics,
  Session,
} from "@chat21/engine";
import type { EventsOf } from "../amqp-event-sink.ts";
import type { BrokerCapabilities } from "../broker-capabilities.ts";
import { type BrokerEdge, goodbyeMs } from "../outbound.ts";
import { systemTimers, type Timers } from "../timers.ts";
import { NodeLink } from "./node-link.ts";

/** Options of {@link createNodeEdge}. */
export interface NodeEdgeOptions {
  /** `amqp://` or, with TLS, `amqps://`. A heartbeat in it is ignored: it is 2 s. */
  readonly uri: string;
  /** Names this process, 1-64 characters; unique among the running processes. */
  readonly holder: string;
  /** Nodes with the same one deliver to each other: the epoch of their store. */
  readonly network: string;
  /** Where this node's clients connect. */
  readonly local: Edge;
  /** How long `start` tries to reach the broker, milliseconds. @default 30000 */
  readonly connectTimeoutMs?: number | undefined;
  /** How long a node that comes listens for the others' answers, milliseconds. @default 1000 */
  readonly listenMs?: number | undefined;
  readonly log: Log;
  readonly metrics: Metrics;
  /** @default the machine's */
  readonly timers?: Timers | undefined;
}

/**
 * The `Edge` of one of several nodes: its own clients, and over RabbitMQ the other nodes' clients. It is ready when it
 * knows who is connected to the other nodes.
 */
export interface NodeEdge extends BrokerEdge {
  /** The other nodes, and observers and API processes beside them, by the names of their queues. */
  readonly peers: readonly string[];
}

const defaultConnectTimeoutMs = 30_000;

/** The part of the time of {@link Edge.close} for the clients; the rest is the broker's. */
const clientsShare = 0.7;

/** Makes the edge; nothing is connected, and no port is open, before `start`. */
export function createNodeEdge(options: NodeEdgeOptions): NodeEdge {
  return new RabbitNodeEdge(options);
}

class RabbitNodeEdge implements NodeEdge {
  readonly #options: NodeEdgeOptions;
  readonly #timers: Timers;
  readonly #link: NodeLink;
  #handler: EdgeHandler | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: NodeEdgeOptions) {
    const { local, log, timers = systemTimers } = options;
    this.#options = options;
    this.#timers = timers;
    this.#link = new NodeLink({
      ...options,
      ...{ role: "node", timers },
      onDeliveries: (deliveries) => void local.deliver(deliveries),
      onArrivalElsewhere: (session) => {
        this.#handler?.handleMoved(session);
        local.disconnect(session, "taken_over");
      },
      onMissed: () => {
        const closed = local.disconnect({}, "missed_deliveries");
        if (closed > 0) log.warn({ closed }, "the other nodes were lost: clients connect again and catch up");
      },
    });
  }

  get ready(): boolean {
    return this.#link.outbound.state === "up" && this.#link.network.isReady;
  }

  get isBlocked(): boolean {
    return this.#link.outbound.state === "blocked";
  }

  get peers(): readonly string[] {
    return this.#link.network.peers;
  }

  get capabilities(): BrokerCapabilities | undefined {
    return this.#link.outbound.capabilities;
  }

  get invalidations(): Invalidations {
    return this.#link.outbound.invalidations;
  }

  eventSink(eventsOf: EventsOf): EventSink {
    return this.#link.outbound.eventSink(eventsOf);
  }

  async start(handler: EdgeHandler): Promise<void> {
    const { connectTimeoutMs = defaultConnectTimeoutMs, local } = this.#options;
    this.#handler = handler;
    try {
      await this.#link.connect(connectTimeoutMs);
      await local.start(this.#watched(handler));
    } catch (error) {
      await this.close(goodbyeMs);
      throw error;
    }
  }

  reaches(app: string, user: string): boolean {
    return this.#options.local.reaches(app, user) || this.#link.network.reaches(app, user);
  }

  deliver(deliveries: readonly Delivery[]): Promise<void> | undefined {
    void this.#options.local.deliver(deliveries);
    return this.#link.network.deliver(deliveries);
  }

  disconnect: Edge["disconnect"] = (selector, reason) => this.#options.local.disconnect(selector, reason);

  setPaused(isPaused: boolean): void {
    this.#options.local.setPaused(isPaused);
  }

  close(timeoutMs: number): Promise<void> {
    this.#closing ??= this.#close(timeoutMs);
    return this.#closing;
  }

  async #close(timeoutMs: number): Promise<void> {
    const until = this.#timers.now() + timeoutMs;
    await this.#options.local.close(timeoutMs * clientsShare);
    await this.#link.close(Math.max(0, until - this.#timers.now()));
  }

  /** The handler, and the other nodes hear of every connection before its client does. */
  #watched(handler: EdgeHandler): EdgeHandler {
    return {
      authenticate: async (attempt: ConnectAttempt) => {
        const session = await handler.authenticate(attempt);
        await this.#link.network.announce(session);
        return session;
      },
      renew: (session, attempt) => handler.renew(session, attempt),
      isAdmitted: (session) => handler.isAdmitted(session),
      handleOpen: (session: Session) => {
        const { app, user, clientId } = session;
        handler.handleOpen(session);
        if (this.#link.network.opened(session)) return;
        // Not before the edge knows the session.
        setImmediate(() => this.disconnect({ app, user, clientId }, "missed_deliveries"));
      },
      handleClose: (session: Session) => {
        this.#link.network.closed(session);
        handler.handleClose(session);
      },
      canSubscribe: (session, filter, qos) => handler.canSubscribe(session, filter, qos),
      handlePublish: (session, inbound) => handler.handlePublish(session, inbound),
      handleTakeover: () => handler.handleTakeover(),
      handleGone: (clientId) => handler.handleGone(clientId),
      handleMoved: (session) => handler.handleMoved(session),
    };
  }
}
