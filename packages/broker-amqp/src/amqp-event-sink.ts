import type { EventSink, Fact } from "@chat21/engine";
import { type Publication, type Publisher, persistent } from "./publisher.ts";
import { eventRoutingKey } from "./routing.ts";
import type { Timers } from "./timers.ts";
import { names } from "./topology.ts";

/** Bounds of an {@link AmqpEventSink}. */
export const eventSinkLimits = {
  /** How often an unheard kind of event is offered again, milliseconds. */
  offerEveryMs: 1_000,
  /** Unheard events; when there are more, they are offered before others are taken. */
  kept: 1_000,
  /** Kinds of events of all apps that are told apart; of further ones all events are published. */
  kinds: 10_000,
} as const;

/** An event for backends. What is a function is made only when the event is sent. */
export interface BackendEvent {
  /** A webhook event's name, for example `message-sent`. */
  readonly event: string;
  readonly app: string;
  /** The same id for the same fact, so that a receiver notices repeats. */
  readonly id: () => string;
  /** JSON text. */
  readonly body: () => string;
}

/** Turns a fact into its events for backends, in the order in which they are to be told. */
export type EventsOf = (fact: Fact) => readonly BackendEvent[];

/** The events of one name in one app. */
interface Kind {
  readonly routingKey: string;
  /** In order; `null` while a queue takes them. */
  kept: BackendEvent[] | null;
}

/**
 * Publishes events to the topic exchange {@link names.events} with the key `apps.<app>.<event>`, persistent; resolves
 * when the broker has them. A repeated fact makes the same `message_id` again.
 *
 * Most brokers have no queue for most kinds of events, and a publish costs the broker more than all else that it does for a
 * message. So a kind whose last event reached no queue is *unheard*: its events are kept, and the first of each second is
 * offered. When a queue takes it, the others follow, in order; else they are dropped, as the broker would have done. A new
 * queue therefore gets events from up to a second before it was bound, and what is kept in its first second is lost if
 * this process dies.
 */
export class AmqpEventSink implements EventSink {
  readonly name = "amqp-events";
  readonly #publisher: Pick<Publisher, "publish">;
  readonly #eventsOf: EventsOf;
  readonly #timers: Timers;
  readonly #kinds = new Map<string, Kind>();
  #keptCount = 0;
  #offering: Promise<void> | undefined;
  #stopTimer: (() => void) | undefined;
  #isClosed = false;

  constructor(publisher: Pick<Publisher, "publish">, eventsOf: EventsOf, timers: Timers) {
    this.#publisher = publisher;
    this.#eventsOf = eventsOf;
    this.#timers = timers;
  }

  /** See `EventSink`. Events of an unheard kind count as taken; when too many are kept, these are offered first. */
  async accept(facts: readonly Fact[]): Promise<void> {
    if (this.#keptCount >= eventSinkLimits.kept) await this.offer();
    const heard: Publication[] = [];
    for (const fact of facts) {
      for (const event of this.#eventsOf(fact)) {
        const kind = this.#kindOf(event);
        if (kind.kept === null) heard.push(publicationOf(event, kind));
        else this.#keep(kind.kept, event);
      }
    }
    if (heard.length > 0) await this.#publisher.publish(heard);
  }

  /** Offers what is kept. Resolves when all of it is published or dropped; rejects when the broker does not answer. */
  offer(): Promise<void> {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    this.#offering ??= this.#offerAll().finally(() => {
      this.#offering = undefined;
      if (this.#keptCount > 0) this.#wake();
    });
    return this.#offering;
  }

  /** Offers nothing more. */
  close(): void {
    this.#isClosed = true;
    this.#stopTimer?.();
  }

  async #offerAll(): Promise<void> {
    await Promise.all([...this.#kinds.values()].map((kind) => this.#offer(kind)));
  }

  async #offer(kind: Kind): Promise<void> {
    const { kept } = kind;
    const [first] = kept ?? [];
    if (kept === null || first === undefined) return;
    const { length } = kept;
    let isHeard = true;
    const onReturned = () => {
      isHeard = false;
    };
    await this.#publisher.publish([{ ...publicationOf(first, kind), onReturned }]);
    if (!isHeard) {
      // Nobody was there, and these came before the broker said so.
      kept.splice(0, length);
      this.#keptCount -= length;
      return;
    }
    kind.kept = null;
    this.#keptCount -= kept.length;
    await this.#publisher.publish(kept.slice(1).map((event) => publicationOf(event, kind)));
  }

  #kindOf({ app, event }: BackendEvent): Kind {
    const name = `${app}/${event}`;
    let kind = this.#kinds.get(name);
    if (kind === undefined) {
      kind = { routingKey: eventRoutingKey(app, event), kept: null };
      if (this.#kinds.size < eventSinkLimits.kinds) this.#kinds.set(name, kind);
    }
    return kind;
  }

  #keep(kept: BackendEvent[], event: BackendEvent): void {
    kept.push(event);
    this.#keptCount += 1;
    this.#wake();
  }

  #wake(): void {
    if (this.#isClosed) return;
    this.#stopTimer ??= this.#timers.after(eventSinkLimits.offerEveryMs, () => {
      // The broker is away: they stay for the next time.
      this.offer().catch(() => {});
    });
  }
}

function publicationOf({ event, id, body }: BackendEvent, kind: Kind): Publication {
  return {
    exchange: names.events,
    routingKey: kind.routingKey,
    content: Buffer.from(body()),
    options: { ...persistent, contentType: "application/json", messageId: id(), type: event },
    onReturned: () => {
      kind.kept ??= [];
    },
  };
}
