import type { EventSink, Fact } from "@chat21/engine";
import { type Publication, type Publisher, persistent } from "./publisher.ts";
import { eventRoutingKey } from "./routing.ts";
import { names } from "./topology.ts";

/** An event for backends, ready to be sent. */
export interface BackendEvent {
  /** A webhook event's name, for example `message-sent`. */
  readonly event: string;
  readonly app: string;
  /** The same id for the same fact, so that a receiver notices repeats. */
  readonly id: string;
  /** JSON text. */
  readonly body: string;
}

/** Turns a fact into its events for backends, in the order in which they are to be told. */
export type EventsOf = (fact: Fact) => readonly BackendEvent[];

/**
 * Publishes events to the topic exchange {@link names.events} with the key `apps.<app>.<event>`, persistent; resolves
 * when the broker has them. An event that no queue is bound for is dropped. A repeated fact makes the same `message_id`
 * again.
 */
export class AmqpEventSink implements EventSink {
  readonly name = "amqp-events";
  readonly #publisher: Pick<Publisher, "publish">;
  readonly #eventsOf: EventsOf;

  constructor(publisher: Pick<Publisher, "publish">, eventsOf: EventsOf) {
    this.#publisher = publisher;
    this.#eventsOf = eventsOf;
  }

  accept(facts: readonly Fact[]): Promise<void> {
    return this.#publisher.publish(facts.flatMap(this.#eventsOf).map(publicationOf));
  }
}

function publicationOf({ event, app, id, body }: BackendEvent): Publication {
  return {
    exchange: names.events,
    routingKey: eventRoutingKey(app, event),
    content: Buffer.from(body),
    options: { ...persistent, contentType: "application/json", messageId: id, type: event },
  };
}
