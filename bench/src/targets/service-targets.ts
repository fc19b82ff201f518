import { type ClusterOptions, startCluster } from "./cluster.ts";
import { type NodesOptions, startNodesTarget } from "./nodes.ts";
import { openRabbitBareTarget, startRelayTarget } from "./rabbit-targets.ts";
import type { ServiceSet, ServiceSetOptions } from "./service-set.ts";
import type { Target } from "./target.ts";

/** Targets that need RabbitMQ. */
const serviceTargets = [
  "rabbit-bare",
  "relay",
  "cluster",
  "cluster-no-events",
  "nodes",
  "nodes-no-events",
] as const;

/** One of {@link serviceTargets}. */
export type ServiceTargetName = (typeof serviceTargets)[number];

export function isServiceTarget(name: string): name is ServiceTargetName {
  return (serviceTargets as readonly string[]).includes(name);
}

/** The use of the services by each target. */
export const servicesFor = {
  "rabbit-bare": "nothing",
  relay: "partitions",
  cluster: "cluster",
  "cluster-no-events": "cluster",
  nodes: "cluster",
  "nodes-no-events": "cluster",
} as const satisfies Readonly<Record<ServiceTargetName, ServiceSetOptions["for"]>>;

/** Starts a target on services that stay up when it is closed. */
export async function openOnServices(
  services: ServiceSet,
  name: ServiceTargetName,
  options: Omit<ClusterOptions, "events" | "isProxied"> & Pick<NodesOptions, "nodes">,
): Promise<Target> {
  switch (name) {
    case "rabbit-bare":
      return openRabbitBareTarget(services, options.carrier);
    case "relay":
      return startRelayTarget(services, options.carrier);
    case "cluster":
    case "cluster-no-events": {
      const { target } = await startCluster(services, { ...options, events: name === "cluster" });
      return { ...target, name };
    }
    case "nodes":
    case "nodes-no-events":
      return { ...(await startNodesTarget(services, { ...options, events: name === "nodes" })), name };
  }
}
