import type { Clock, Fact } from "@chat21/engine";
import type { WebhookEvent } from "@chat21/protocol";
import { deliveryId } from "./delivery-id.ts";
import { eventsOf } from "./fact-events.ts";

/** One event as the consumers of a queue get it. What is a function costs something, and may never be asked for. */
export interface BackendEvent {
  /** A webhook event's name. */
  readonly event: string;
  readonly app: string;
  /** The same id whenever the same event is told again, so that a receiver notices repeats. */
  readonly id: () => string;
  /** JSON text: the body of the webhook. */
  readonly body: () => string;
}

/** Names the origin of ids: an event has another one at every endpoint of webhooks, and this one in all queues. */
const origin = "chat21.events";

/**
 * Makes the function that turns a fact into its wanted events for queues, in the order in which they are to be told.
 */
export function createBackendEvents(
  wanted: readonly WebhookEvent[],
  clock: Pick<Clock, "now">,
): (fact: Fact) => readonly BackendEvent[] {
  const names = new Set<string>(wanted);
  return (fact) =>
    eventsOf(fact, names).map(({ app, event, identity, body }) => {
      const createdAt = clock.now();
      return {
        ...{ event, app },
        id: () => deliveryId(origin, event, app, identity),
        body: () => body(createdAt),
      };
    });
}
