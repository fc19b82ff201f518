import { describe } from "vitest";
import { describeConnecting } from "./edge-contract/connecting.ts";
import { describeDelivering } from "./edge-contract/delivering.ts";
import { type OpenEdge, useEdge } from "./edge-contract/edge-world.ts";
import { describeHostileClients } from "./edge-contract/hostile.ts";
import { describeLeaving } from "./edge-contract/leaving.ts";
import { describePublishing } from "./edge-contract/publishing.ts";
import { describeSteering } from "./edge-contract/steering.ts";
import { describeSubscribing } from "./edge-contract/subscribing.ts";

/**
 * The contract of every `Edge`, sentence by sentence of the port's documentation, seen through real sockets: TCP and
 * WebSocket, raw packets and MQTT.js. `open` is called once per test and must listen on free ports of 127.0.0.1.
 */
export function describeEdge(name: string, open: OpenEdge): void {
  describe(name, () => {
    const world = useEdge(open);
    describeConnecting(world);
    describeSubscribing(world);
    describePublishing(world);
    describeDelivering(world);
    describeLeaving(world);
    describeSteering(world);
    describeHostileClients(world);
  });
}
