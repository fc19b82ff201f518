import type { EventSink, Fact } from "@chat21/engine";
import { type Publication, type Publisher, persistent } from "./publisher.ts";
import { eventRoutingKey } from "./routing.ts";
import type { Timers } from "./timers.ts";
import { names } from "./topology.ts";

/** Bounds of an {@link AmqpEventSink}. */
export const eventSinkLimits = {
  /** How often an unheard kind of event is offered again, milliseconds. */
  offerEveryMs: 1_000,
  /** Bytes of bodies of unheard events, beyond which they are offered at once. */
  keptBytes: 8 * 1024 * 1024,
  /** Routing keys that may be unheard: one for each app and kind of event. */
  unheardKeys: 10_000,
} as const;

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
 * when the broker has them. A repeated fact makes the same `message_id` again.
 *
 * Most brokers have no queue for most kinds of events, and a publish costs the broker more than all else that it does for a
 * message. So a kind (a routing key) whose last event reached no queue is *unheard*: its events are kept, and the
 * first of each second is offered. When a queue takes it, the others follow, in order; else they are dropped, as the
 * broker would have done. A new queue therefore gets events from up to a second before it was bound, and what is kept in
 * its first second is lost if this process dies.
 */
export class AmqpEventSink implements EventSink {
  readonly name = "amqp-events";
  readonly #publisher: Pick<Publisher, "publish">;
  readonly #eventsOf: EventsOf;
  readonly #timers: Timers;
  /** Events of unheard kinds, by routing key, in order. */
  readonly #unheard = new Map<string, Publication[]>();
  #keptBytes = 0;
  #offering: Promise<void> | undefined;
  #stopTimer: (() => void) | undefined;
  #isClosed = false;

  constructor(publisher: Pick<Publisher, "publish">, eventsOf: EventsOf, timers: Timers) {
    this.#publisher = publisher;
    this.#eventsOf = eventsOf;
    this.#timers = timers;
  }

  /** See `EventSink`. Events of an unheard kind count as taken, unless too many are kept. */
  async accept(facts: readonly Fact[]): Promise<void> {
    const heard: Publication[] = [];
    for (const publication of facts.flatMap(this.#eventsOf).map((event) => this.#publicationOf(event))) {
      const kept = this.#unheard.get(publication.routingKey);
      if (kept === undefined) heard.push(publication);
      else this.#keep(kept, publication);
    }
    const isFull = this.#keptBytes > eventSinkLimits.keptBytes;
    await Promise.all([this.#publisher.publish(heard), isFull ? this.offer() : undefined]);
  }

  /** Offers what is kept. Resolves when all of it is published or dropped; rejects when the broker does not answer. */
  offer(): Promise<void> {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    this.#offering ??= this.#offerAll().finally(() => {
      this.#offering = undefined;
      if (this.#keptBytes > 0) this.#wake();
    });
    return this.#offering;
  }

  /** Offers nothing more. */
  close(): void {
    this.#isClosed = true;
    this.#stopTimer?.();
  }

  async #offerAll(): Promise<void> {
    const keys = [...this.#unheard].filter(([, kept]) => kept.length > 0).map(([key]) => key);
    await Promise.all(keys.map((key) => this.#offer(key)));
  }

  async #offer(key: string): Promise<void> {
    const kept = this.#unheard.get(key) ?? [];
    const [first] = kept;
    if (first === undefined) return;
    let isHeard = true;
    const onReturned = () => {
      isHeard = false;
    };
    const { length } = kept;
    await this.#publisher.publish([{ ...first, onReturned }]);
    if (!isHeard) {
      // Nobody was there, and these came before the broker said so.
      this.#drop(kept.splice(0, length));
      return;
    }
    this.#unheard.delete(key);
    this.#drop(kept);
    await this.#publisher.publish(kept.slice(1));
  }

  #publicationOf({ event, app, id, body }: BackendEvent): Publication {
    const routingKey = eventRoutingKey(app, event);
    return {
      exchange: names.events,
      routingKey,
      content: Buffer.from(body),
      options: { ...persistent, contentType: "application/json", messageId: id, type: event },
      onReturned: () => {
        if (this.#unheard.size >= eventSinkLimits.unheardKeys || this.#unheard.has(routingKey)) return;
        this.#unheard.set(routingKey, []);
      },
    };
  }

  #keep(kept: Publication[], publication: Publication): void {
    kept.push(publication);
    this.#keptBytes += publication.content.length;
    this.#wake();
  }

  #drop(publications: readonly Publication[]): void {
    for (const { content } of publications) this.#keptBytes -= content.length;
  }

  #wake(): void {
    if (this.#isClosed) return;
    this.#stopTimer ??= this.#timers.after(eventSinkLimits.offerEveryMs, () => {
      // The broker is away: they stay for the next time.
      this.offer().catch(() => {});
    });
  }
}
