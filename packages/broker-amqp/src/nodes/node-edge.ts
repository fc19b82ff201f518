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
import type { ChannelModel } from "amqplib";
import type { EventsOf } from "../amqp-event-sink.ts";
import type { BrokerCapabilities } from "../broker-capabilities.ts";
import { type BrokerEdge, goodbyeMs, Outbound } from "../outbound.ts";
import { transient } from "../publisher.ts";
import { systemTimers, type Timers } from "../timers.ts";
import { names } from "../topology.ts";
import { NodeNetwork, type NodePost, nodeLimits } from "./node-network.ts";

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
  /** The other nodes, by name. */
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
  readonly #outbound: Outbound;
  readonly #network: NodeNetwork;
  #handler: EdgeHandler | undefined;
  #queue = "";
  #joining = Promise.resolve();
  #closing: Promise<void> | undefined;

  constructor(options: NodeEdgeOptions) {
    const { uri, holder, log, metrics, local, listenMs, timers = systemTimers } = options;
    this.#options = options;
    this.#timers = timers;
    this.#outbound = new Outbound({
      ...{ uri, holder, log, timers },
      onUp: (connection) => this.#listen(connection),
      onChange: (state) => {
        if (state === "down") this.#network.leave();
        else if (!this.#network.isPresent) this.#joining = this.#join();
      },
    });
    this.#network = new NodeNetwork({
      ...{ timers, log, metrics, listenMs, post: this.#post() },
      onDeliveries: (deliveries) => void local.deliver(deliveries),
      onArrivalElsewhere: (session) => {
        this.#handler?.handleMoved(session);
        local.disconnect(session, "taken_over");
      },
      onMissed: () => {
        const closed = local.disconnect({}, "missed_deliveries");
        if (closed > 0) log.warn({ closed }, "the other nodes were lost: clients connect again and catch up");
      },
      onBroken: (error) => {
        log.warn({ error: error.message }, "this node comes to the others again");
        this.#outbound.fail(error);
      },
    });
  }

  get ready(): boolean {
    return this.#outbound.state === "up" && this.#network.isReady;
  }

  get isBlocked(): boolean {
    return this.#outbound.state === "blocked";
  }

  get peers(): readonly string[] {
    return this.#network.peers;
  }

  get capabilities(): BrokerCapabilities | undefined {
    return this.#outbound.capabilities;
  }

  get invalidations(): Invalidations {
    return this.#outbound.invalidations;
  }

  eventSink(eventsOf: EventsOf): EventSink {
    return this.#outbound.eventSink(eventsOf);
  }

  async start(handler: EdgeHandler): Promise<void> {
    const { connectTimeoutMs = defaultConnectTimeoutMs, local } = this.#options;
    this.#handler = handler;
    try {
      await this.#outbound.connect(connectTimeoutMs);
      await this.#joining;
      await local.start(this.#watched(handler));
    } catch (error) {
      await this.close(goodbyeMs);
      throw error;
    }
  }

  reaches(app: string, user: string): boolean {
    return this.#options.local.reaches(app, user) || this.#network.reaches(app, user);
  }

  deliver(deliveries: readonly Delivery[]): Promise<void> | undefined {
    void this.#options.local.deliver(deliveries);
    return this.#network.deliver(deliveries);
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
    this.#network.close();
    await this.#outbound.close(Math.max(0, until - this.#timers.now()));
  }

  /** The handler, and the other nodes hear of every connection before its client does. */
  #watched(handler: EdgeHandler): EdgeHandler {
    return {
      authenticate: async (attempt: ConnectAttempt) => {
        const session = await handler.authenticate(attempt);
        await this.#network.announce(session);
        return session;
      },
      handleOpen: (session: Session) => {
        const { app, user, clientId } = session;
        handler.handleOpen(session);
        if (this.#network.opened(session)) return;
        // Not before the edge knows the session.
        setImmediate(() => this.disconnect({ app, user, clientId }, "missed_deliveries"));
      },
      handleClose: (session: Session) => {
        this.#network.closed(session);
        handler.handleClose(session);
      },
      canSubscribe: (session, filter) => handler.canSubscribe(session, filter),
      handlePublish: (session, inbound) => handler.handlePublish(session, inbound),
      handleTakeover: () => handler.handleTakeover(),
      handleGone: (clientId) => handler.handleGone(clientId),
      handleMoved: (session) => handler.handleMoved(session),
    };
  }

  #post(): NodePost {
    const { publisher } = this.#outbound;
    const from = () => this.#queue;
    return {
      send: (to, type, content, onReturned) => {
        const options = { ...transient, type, appId: from() };
        return publisher.publish([{ exchange: "", routingKey: to, content, options, onReturned }]);
      },
      sendToAll: (type, content) => {
        const options = { ...transient, type, appId: from() };
        const routingKey = this.#options.network;
        return publisher.publish([{ exchange: names.nodes, routingKey, content, options }]);
      },
    };
  }

  async #listen(connection: ChannelModel): Promise<void> {
    const channel = await connection.createChannel();
    channel.on("error", (error) => this.#outbound.fail(error));
    await channel.assertExchange(names.nodes, "direct", { durable: true });
    const { queue } = await channel.assertQueue("", {
      ...{ exclusive: true, autoDelete: true, durable: false },
      arguments: { "x-max-length-bytes": nodeLimits.queuedBytes, "x-queue-type": "classic" },
    });
    await channel.bindQueue(queue, names.nodes, this.#options.network);
    await channel.consume(
      queue,
      (message) => {
        if (message === null) return this.#outbound.fail(new Error("the broker took the node's queue away"));
        const { appId, type } = message.properties;
        this.#network.receive(String(appId), String(type), message.content);
      },
      { noAck: true },
    );
    this.#queue = queue;
  }

  async #join(): Promise<void> {
    try {
      await this.#network.join(this.#queue);
    } catch (error) {
      // The link ended meanwhile, and comes back.
      this.#options.log.warn({ error: (error as Error).message }, "the node does not reach the others yet");
    }
  }
}
