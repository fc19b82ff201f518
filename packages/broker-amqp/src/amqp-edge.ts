import type {
  Delivery,
  EdgeHandler,
  EventSink,
  Invalidations,
  LeaseStore,
  Log,
  Metrics,
} from "@chat21/engine";
import type { EventsOf } from "./amqp-event-sink.ts";
import type { BrokerCapabilities } from "./broker-capabilities.ts";
import { deliveryPublications, probePublication } from "./delivery-publications.ts";
import type { ForeignQueues } from "./foreign-queues.ts";
import { Intake } from "./intake.ts";
import { NodeLink } from "./nodes/node-link.ts";
import { type BrokerEdge, goodbyeMs } from "./outbound.ts";
import { Pause } from "./pause.ts";
import { systemTimers, type Timers } from "./timers.ts";
import type { TopologyOptions } from "./topology.ts";

/** Options of {@link createAmqpEdge}. */
export interface AmqpEdgeOptions extends TopologyOptions {
  /** `amqp://` or, with TLS, `amqps://`. A heartbeat in it is ignored: it is 2 s. */
  readonly uri: string;
  /** Names this process, 1-64 characters; unique among the running processes. */
  readonly holder: string;
  /** Nodes with the same one get this process' deliveries for their users: the epoch of the store. */
  readonly network: string;
  /** The store of the partitions' leases. @default none: this process publishes, and takes nothing from clients */
  readonly leases?: LeaseStore | undefined;
  /** Messages in flight per partition. @default 250 */
  readonly prefetch?: number | undefined;
  /** How long `start` tries to reach the broker, milliseconds. @default 30000 */
  readonly connectTimeoutMs?: number | undefined;
  /** How often the edge looks for strangers among the consumers of our partitions, milliseconds. @default 10000 */
  readonly consumerLookEveryMs?: number | undefined;
  /**
   * Called once, after all our queues are declared and before anything is consumed, by one process at a time. An error
   * ends this attempt to connect; the next attempt calls it again. @default nothing is done; not called in a process
   * that only publishes
   */
  readonly beforeConsuming?: ((queues: ForeignQueues) => Promise<void>) | undefined;
  readonly log: Log;
  readonly metrics: Metrics;
  /** @default the machine's */
  readonly timers?: Timers | undefined;
}

/** The `Edge` of clients that are connected to RabbitMQ's MQTT plugin. */
export interface AmqpEdge extends BrokerEdge {
  /** Partitions that are consumed here, ascending. */
  readonly partitions: readonly number[];
}

const defaultConnectTimeoutMs = 30_000;

/**
 * Makes the edge; nothing is connected before `start`. Two connections where it consumes: the broker stops reading from
 * one that publishes while it is short of memory or disk, and acknowledgements must get through nevertheless.
 */
export function createAmqpEdge(options: AmqpEdgeOptions): AmqpEdge {
  return new RabbitEdge(options);
}

class RabbitEdge implements AmqpEdge {
  readonly #options: AmqpEdgeOptions;
  readonly #timers: Timers;
  readonly #link: NodeLink;
  #intake: Intake | undefined;
  readonly #pause = new Pause();
  #isPaused = false;
  #closing: Promise<void> | undefined;

  constructor(options: AmqpEdgeOptions) {
    const { uri, holder, network, log, metrics, timers = systemTimers } = options;
    this.#options = options;
    this.#timers = timers;
    this.#link = new NodeLink({
      ...{ uri, holder, network, role: "observer", log, metrics, timers },
      onChange: () => this.#settlePause(),
      // Nobody is connected here, so nothing comes for anybody, and nothing is missed.
      onDeliveries: () => {},
      onArrivalElsewhere: () => {},
      onMissed: () => {},
    });
  }

  get invalidations(): Invalidations {
    return this.#link.outbound.invalidations;
  }

  get isBlocked(): boolean {
    return this.#link.outbound.state === "blocked";
  }

  get ready(): boolean {
    return this.#link.outbound.state === "up" && (this.#intake?.ready ?? this.#options.leases === undefined);
  }

  get partitions(): readonly number[] {
    return this.#intake?.partitions ?? [];
  }

  get capabilities(): BrokerCapabilities | undefined {
    return this.#link.outbound.capabilities;
  }

  async start(handler: EdgeHandler): Promise<void> {
    const { connectTimeoutMs = defaultConnectTimeoutMs } = this.#options;
    try {
      await this.#link.connect(connectTimeoutMs);
      await this.#startIntake(handler, connectTimeoutMs);
    } catch (error) {
      await this.close(goodbyeMs);
      throw error;
    }
  }

  async #startIntake(handler: EdgeHandler, timeoutMs: number): Promise<void> {
    const { leases } = this.#options;
    if (leases === undefined) return;
    const { publisher } = this.#link.outbound;
    this.#intake = new Intake({
      ...this.#options,
      ...{ leases, handler, timers: this.#timers, publisher, pause: this.#pause },
      onArrival: (session) => this.#link.network.arrived(session),
    });
    await this.#intake.start(timeoutMs);
  }

  eventSink(eventsOf: EventsOf): EventSink {
    return this.#link.outbound.eventSink(eventsOf);
  }

  /** The broker has the connections. */
  reaches(): boolean {
    return true;
  }

  deliver(deliveries: readonly Delivery[]): Promise<void> | undefined {
    if (deliveries.length === 0) return undefined;
    const published = this.#link.outbound.publisher.publish(deliveryPublications(deliveries));
    const toNodes = this.#link.network.deliver(deliveries);
    return toNodes === undefined ? published : Promise.all([published, toNodes]).then(() => {});
  }

  async probe(
    users: readonly { readonly app: string; readonly user: string }[],
  ): Promise<readonly boolean[]> {
    const listens = users.map(() => true);
    const publications = users.map(({ app, user }, index) =>
      probePublication(app, user, () => {
        listens[index] = false;
      }),
    );
    await this.#link.outbound.publisher.publish(publications);
    return users.map(({ app, user }, index) => listens[index] || this.#link.network.hasNodeOf(app, user));
  }

  /** The broker has the connections, and ends them when it is told to over its management, or when a token runs out. */
  disconnect(): number {
    return 0;
  }

  setPaused(isPaused: boolean): void {
    this.#isPaused = isPaused;
    this.#settlePause();
  }

  close(timeoutMs: number): Promise<void> {
    this.#closing ??= this.#close(timeoutMs);
    return this.#closing;
  }

  async #close(timeoutMs: number): Promise<void> {
    const until = this.#timers.now() + timeoutMs;
    const left = () => Math.max(0, until - this.#timers.now());
    await this.#intake?.close(left());
    await this.#link.close(left());
  }

  /** Messages whose copies cannot be delivered are not begun. */
  #settlePause(): void {
    this.#pause.set(this.#isPaused || this.#link.outbound.state !== "up");
  }
}
