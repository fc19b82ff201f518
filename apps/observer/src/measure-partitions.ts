import type { AmqpEdge } from "@chat21/broker-amqp";
import { Gauge, type Registry } from "prom-client";

/** Shows the partitions of the edge whenever metrics are read. */
export function measurePartitions(registry: Registry, edge: Pick<AmqpEdge, "partitions">): void {
  new Gauge({
    name: "chat21_partitions",
    help: "Partitions that this process consumes.",
    registers: [registry],
    collect() {
      this.set(edge.partitions.length);
    },
  });
}
