import type { Edge, EventSink, Invalidations, Log } from "@chat21/engine";
import type { ChannelModel } from "amqplib";
import { AmqpEventSink, type EventsOf } from "./amqp-event-sink.ts";
import { AmqpInvalidations } from "./amqp-invalidations.ts";
import { AmqpLink, type LinkState } from "./amqp-link.ts";
import { parseBrokerAddress } from "./broker-address.ts";
import type { BrokerCapabilities } from "./broker-capabilities.ts";
import { Publisher } from "./publisher.ts";
import { settlesWithin, type Timers } from "./timers.ts";
import { declareExchanges, publishedExchanges } from "./topology.ts";

/** An `Edge` that delivers through RabbitMQ. */
export interface BrokerEdge extends Edge {
  /** Connected, not blocked, and all that it needs there is ready. Deliveries over the broker wait while it is `false`. */
  readonly ready: boolean;
  /** Connected, but the broker takes no publishes because its memory or disk runs out. */
  readonly isBlocked: boolean;
  /** Of the broker; `undefined` before `start`. */
  readonly capabilities: BrokerCapabilities | undefined;
  /** Invalidations to and from the other processes on this broker. */
  readonly invalidations: Invalidations;
  /** A sink that publishes what `eventsOf` makes of facts to the exchange `chat21.events`, over this edge's connection. */
  eventSink(eventsOf: EventsOf): EventSink;
}

/** Options of {@link Outbound}. */
export interface OutboundOptions {
  readonly uri: string;
  readonly holder: string;
  readonly log: Log;
  readonly timers: Timers;
  /** Puts a fresh connection to further use, before waiting publishes leave. @default none */
  readonly onUp?: (connection: ChannelModel) => Promise<void>;
  /** After every change of state. */
  readonly onChange: (state: LinkState) => void;
}

/** The time for the broker's own answers, after everything else. */
export const goodbyeMs = 1_000;

/** The connection that a process publishes over: deliveries, events for backends, invalidations. */
export class Outbound {
  readonly publisher: Publisher;
  readonly invalidations: AmqpInvalidations;
  readonly #options: OutboundOptions;
  readonly #link: AmqpLink;
  readonly #sinks: AmqpEventSink[] = [];

  constructor(options: OutboundOptions) {
    const { uri, holder, log, timers, onChange } = options;
    this.#options = options;
    this.publisher = new Publisher({ log, timers, onBroken: (error) => this.#link.fail(error) });
    this.invalidations = new AmqpInvalidations({ holder, log, publisher: this.publisher });
    this.#link = new AmqpLink({
      ...{ log, timers, address: parseBrokerAddress(uri), name: `chat21 ${holder} out` },
      onUp: (connection) => this.#use(connection),
      onChange: (state) => {
        this.publisher.hold(state === "blocked");
        onChange(state);
      },
    });
  }

  get state(): LinkState {
    return this.#link.state;
  }

  /** Of the broker; `undefined` before it is connected. */
  get capabilities(): BrokerCapabilities | undefined {
    return this.#link.capabilities;
  }

  /** See {@link AmqpLink.connect}. */
  connect(timeoutMs: number): Promise<void> {
    return this.#link.connect(timeoutMs);
  }

  /** Ends the connection, which is made again. */
  fail(error: Error): void {
    this.#link.fail(error);
  }

  eventSink(eventsOf: EventsOf): EventSink {
    const sink = new AmqpEventSink(this.publisher, eventsOf, this.#options.timers);
    this.#sinks.push(sink);
    return sink;
  }

  /** Waits until the broker has confirmed everything, at most `timeoutMs`, and closes. */
  async close(timeoutMs: number): Promise<void> {
    const { timers, log } = this.#options;
    const told = Promise.all(this.#sinks.map((sink) => sink.offer())).then(() => this.publisher.drained());
    if (!(await settlesWithin(timers, told, timeoutMs))) {
      const { unconfirmed } = this.publisher;
      log.warn({ unconfirmed }, "the broker has not confirmed everything in time");
    }
    for (const sink of this.#sinks) sink.close();
    this.publisher.close();
    await this.#link.close(goodbyeMs);
  }

  async #use(connection: ChannelModel): Promise<void> {
    const channel = await connection.createChannel();
    // Its calls reject with the reason.
    channel.on("error", () => {});
    await declareExchanges(channel, publishedExchanges);
    await channel.close();
    await this.invalidations.open(connection);
    await this.#options.onUp?.(connection);
    await this.publisher.open(connection);
  }
}
