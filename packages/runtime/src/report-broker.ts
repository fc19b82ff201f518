import { Gauge } from "prom-client";
import type { ClusterGround } from "./cluster-service.ts";
import { combineHealth, type Health } from "./health.ts";

/** The parts of a process on the broker that decide whether it can work. */
export interface BrokerParts {
  readonly engine: { health(): Health };
  /** `ready`: connected, and not blocked. */
  readonly edge: { readonly ready: boolean; readonly isBlocked: boolean };
}

/**
 * Lets `/readyz` say what is missing of store, engine and broker, in this order, and the metric `chat21_broker_up` whether
 * the broker can be used. Once for each process.
 */
export function reportBroker(
  { watch, registry, reportHealth }: Pick<ClusterGround<unknown>, "registry" | "reportHealth" | "watch">,
  { engine, edge }: BrokerParts,
): void {
  new Gauge({
    name: "chat21_broker_up",
    help: "Whether the broker is connected and takes publishes.",
    registers: [registry],
    collect() {
      this.set(edge.ready ? 1 : 0);
    },
  });
  reportHealth(() => {
    const broken = edge.isBlocked ? "broker_blocked" : "broker_unavailable";
    const broker = { ready: edge.ready, reason: edge.ready ? "ok" : broken };
    return combineHealth(watch.health(), engine.health(), broker);
  });
}
