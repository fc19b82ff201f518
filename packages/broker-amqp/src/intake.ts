import type { EdgeHandler, LeaseStore, Log, Metrics, Session } from "@chat21/engine";
import type { ChannelModel } from "amqplib";
import { AmqpLink } from "./amqp-link.ts";
import { parseBrokerAddress } from "./broker-address.ts";
import { watchConnectionEvents } from "./connection-events.ts";
import { watchConsumers } from "./consumer-watch.ts";
import { type ForeignQueues, openForeignQueues } from "./foreign-queues.ts";
import { InboundIntake } from "./inbound-intake.ts";
import { PartitionConsumer } from "./partition-consumer.ts";
import { PartitionKeeper } from "./partition-keeper.ts";
import type { Pause } from "./pause.ts";
import type { Publisher } from "./publisher.ts";
import { settlesWithin, type Timers } from "./timers.ts";
import { declareTopology, type TopologyOptions, topologyOf } from "./topology.ts";
import { topologyLimits } from "./topology-limits.ts";
import { withLease } from "./with-lease.ts";

/** Options of {@link Intake}. */
export interface IntakeOptions extends TopologyOptions {
  readonly uri: string;
  readonly holder: string;
  readonly leases: LeaseStore;
  readonly handler: EdgeHandler;
  readonly publisher: Publisher;
  readonly prefetch?: number | undefined;
  readonly pause: Pause;
  /** See `InboundIntakeOptions.onArrival`. */
  readonly onArrival: (session: Session) => void;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly timers: Timers;
  /** See `ConsumerWatchOptions.lookEveryMs`. */
  readonly consumerLookEveryMs?: number | undefined;
  /** See `AmqpEdgeOptions.beforeConsuming`. */
  readonly beforeConsuming?: ((queues: ForeignQueues) => Promise<void>) | undefined;
}

const defaultPrefetch = 250;

/** Takes what clients publish: a connection of its own, this process' share of the partitions, a consumer for each. */
export class Intake {
  readonly #options: IntakeOptions;
  readonly #link: AmqpLink;
  readonly #keeper: PartitionKeeper<PartitionConsumer>;
  readonly #inbound: InboundIntake;
  #connection: ChannelModel | undefined;
  #stopWatching = () => {};
  #isPrepared = false;

  constructor(options: IntakeOptions) {
    const { holder, log, metrics, timers, leases, handler, publisher, apps, onArrival } = options;
    this.#options = options;
    this.#inbound = new InboundIntake({ handler, apps, publisher, onArrival, log, metrics });
    this.#keeper = new PartitionKeeper({
      ...{ holder, leases, timers, log, metrics },
      partitions: options.partitions ?? topologyLimits.partitions,
      takeOver: () => handler.handleTakeover(),
      open: (partition, isHeld, onLost) => this.#open(partition, isHeld, onLost),
    });
    this.#link = new AmqpLink({
      ...{ log, timers, address: parseBrokerAddress(options.uri), name: `chat21 ${holder} in` },
      onUp: (connection) => this.#use(connection),
      onChange: (state) => {
        if (state === "down") void this.#keeper.suspend();
        else this.#keeper.resume();
      },
    });
  }

  /** Connected, and everything declared. */
  get ready(): boolean {
    return this.#link.state === "up";
  }

  /** Partitions that are consumed here, ascending. */
  get partitions(): readonly number[] {
    return this.#keeper.consumed;
  }

  start(timeoutMs: number): Promise<void> {
    return this.#link.connect(timeoutMs);
  }

  /**
   * Hands the partitions over, in order. A partition that takes longer than `timeoutMs` is left to its lease and to the
   * broker.
   */
  async close(timeoutMs: number): Promise<void> {
    this.#stopWatching();
    if (!(await settlesWithin(this.#options.timers, this.#keeper.close(), timeoutMs))) {
      this.#options.log.warn({ timeoutMs }, "partitions were not handed over in time");
      this.#keeper.abandon();
    }
    await this.#link.close(timeoutMs);
  }

  async #use(connection: ChannelModel): Promise<void> {
    const { handler, log } = this.#options;
    const channel = await connection.createChannel();
    // Its calls reject with the reason.
    channel.on("error", () => {});
    await declareTopology(channel, topologyOf(this.#options));
    await channel.close();
    await this.#prepare(connection);
    const hasEvents = await watchConnectionEvents(connection, handler, log);
    if (!hasEvents)
      log.debug({}, "the broker has no rabbitmq_event_exchange: who is gone is known by wills and leases");
    this.#connection = connection;
    const { timers, metrics, consumerLookEveryMs: lookEveryMs } = this.#options;
    this.#stopWatching = watchConsumers({
      ...{ connection, timers, log, metrics, partitions: () => this.#keeper.consumed },
      ...(lookEveryMs === undefined ? {} : { lookEveryMs }),
    });
  }

  /** Once, when our own bindings are there, so that nothing falls between the queues of others and ours. */
  async #prepare(connection: ChannelModel): Promise<void> {
    const { beforeConsuming } = this.#options;
    if (this.#isPrepared || beforeConsuming === undefined) return;
    await withLease({ ...this.#options, name: "before-consuming" }, (isHeld) =>
      beforeConsuming(
        openForeignQueues({
          connection,
          take: (message) => this.#inbound.take(message, isHeld),
          bury: (message, detail) => this.#inbound.bury(message, "refused", detail),
        }),
      ),
    );
    this.#isPrepared = true;
  }

  #open(partition: number, isHeld: () => boolean, onLost: () => void): Promise<PartitionConsumer> {
    const { prefetch = defaultPrefetch, pause, log } = this.#options;
    if (this.#connection === undefined) return Promise.reject(new Error("there is no connection"));
    return PartitionConsumer.open({
      ...{ connection: this.#connection, partition, prefetch, pause, log, isHeld, onLost },
      intake: this.#inbound,
    });
  }
}
