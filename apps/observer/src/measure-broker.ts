import type { AmqpEdge } from "@chat21/broker-amqp";
import { Gauge, type Registry } from "prom-client";

/** Shows the present state of the edge whenever metrics are read. */
export function measureBroker(registry: Registry, edge: Pick<AmqpEdge, "partitions" | "ready">): void {
  new Gauge({
    name: "chat21_partitions",
    help: "Partitions that this process consumes.",
    registers: [registry],
    collect() {
      this.set(edge.partitions.length);
    },
  });
  new Gauge({
    name: "chat21_broker_up",
    help: "Whether the broker is connected and takes publishes.",
    registers: [registry],
    collect() {
      this.set(edge.ready ? 1 : 0);
    },
  });
}
