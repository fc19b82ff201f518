import { randomUUID } from "node:crypto";
import {
  createEngine,
  type Edge,
  type Engine,
  type EventSink,
  type Log,
  type Metrics,
  type SharedStoreOptions,
  type Store,
  type TokenVerifier,
} from "@chat21/engine";
import { createBackendEvents, type WebhookStore, webhookSinks } from "@chat21/events";
import { contactLimits, createContactDirectory, type PeopleStore } from "@chat21/people";
import { ChatError } from "@chat21/protocol";
import type { BrokerConfig, ClusterConfig } from "./cluster-config.ts";
import { OperatorError } from "./failure.ts";
import { createOutgoingFetch } from "./outgoing.ts";
import { systemClock } from "./system-clock.ts";

/** Parts of {@link createClusterEngine}. */
export interface ClusterEngineParts {
  readonly config: BrokerConfig & Pick<ClusterConfig, "proxies" | "webhooks">;
  /** Names this process among the holders of leases. */
  readonly holder: string;
  readonly store: Store &
    Pick<SharedStoreOptions, "leases" | "redeliveries"> &
    Pick<PeopleStore, "users"> & { readonly webhooks: WebhookStore };
  readonly edge: Edge &
    Pick<SharedStoreOptions, "invalidations"> & {
      eventSink(eventsOf: ReturnType<typeof createBackendEvents>): EventSink;
    };
  readonly tokens: TokenVerifier;
  readonly log: Log;
  readonly metrics: Metrics;
  /** For a process that hears of its users' coming and going. @default the engine's */
  readonly presenceGraceMs?: number;
}

/** The engine of a process that shares its store and its broker with others. It does not run yet. */
export function createClusterEngine({ config, holder, store, edge, ...given }: ClusterEngineParts): Engine {
  const { apps, presence, events, webhooks: settings, contactsUrl, rateLimits, messageRate } = config;
  const { groupsFromMessages, proxies } = config;
  const clock = systemClock;
  const contacts = createContactDirectory({
    ...{ users: store.users, clock, log: given.log },
    fetch: createOutgoingFetch({ proxies, connectTimeoutMs: contactLimits.timeoutMs }),
    ...(contactsUrl === undefined ? {} : { endpoint: contactsUrl }),
  });
  const sinks = [
    ...webhookSinks({ settings, store: store.webhooks, clock }),
    ...(events.length > 0 ? [edge.eventSink(createBackendEvents(events, clock))] : []),
  ];
  const { leases, redeliveries } = store;
  return createEngine({
    ...{ ...given, store, edge, clock, newId: randomUUID, contacts, sinks, presence },
    groupsFromMessages,
    shared: { holder, leases, redeliveries, invalidations: edge.invalidations },
    ...(apps === undefined ? {} : { apps }),
    ...{ rateLimits, messageRate },
  });
}

/** Starts the engine, and then the edge that feeds it. Throws `OperatorError` when the broker cannot be used. */
export async function startOnBroker(engine: Engine, edge: Edge): Promise<void> {
  await engine.start();
  try {
    await edge.start(engine);
  } catch (cause) {
    throw brokerFailure(cause);
  }
}

/** The operator's error for an edge that did not start: one line that says what to do. */
export function brokerFailure(cause: unknown): OperatorError {
  const text = (cause instanceof Error ? cause.message : String(cause)).replaceAll(/\s+/g, " ");
  // A conflict on the broker is no fault of the address, and its message says what to do.
  const hint = cause instanceof ChatError && cause.code === "conflict" ? "" : "; check RABBITMQ_URI";
  return new OperatorError(`RabbitMQ: ${text}${hint}`, { cause });
}
