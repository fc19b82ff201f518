import { serviceScopes, topics } from "@chat21/protocol";
import { issueToken } from "../load/token.ts";
import type { Carrier } from "./carrier.ts";
import type { ServiceSet } from "./service-set.ts";
import { spawnScript } from "./spawned-script.ts";
import { app, type Target } from "./target.ts";

const noGroups = async () => {};
const bareTopic = (sender: string, recipient: string) => `bare/${sender}/${recipient}`;

/** Messages in flight of a partition, the default of an observer. */
const prefetch = 500;

/** RabbitMQ's MQTT alone: receivers subscribe to the very topics that senders publish on. */
export function openRabbitBareTarget(services: ServiceSet, carrier: Carrier): Target {
  return {
    name: "rabbit-bare",
    url: services.urls[carrier],
    pids: [],
    peers: services.pids,
    readyMs: null,
    topic: bareTopic,
    password: (user) => issueToken(services.secret, app, user, { scope: serviceScopes }),
    filter: (user, from) => {
      if (from === null) return null;
      return "group" in from ? bareTopic("+", from.group) : bareTopic(from.sender, user);
    },
    createGroup: noGroups,
    close: async () => {},
  };
}

/**
 * A relay between the partitions and the inboxes that stores nothing: the most that an observer on RabbitMQ could
 * reach.
 */
export async function startRelayTarget(services: ServiceSet, carrier: Carrier): Promise<Target> {
  const relay = await spawnScript("relay.ts", services.amqpUri, String(prefetch));
  return {
    name: "relay",
    url: services.urls[carrier],
    pids: [relay.pid],
    peers: services.pids,
    readyMs: null,
    password: (user) => issueToken(services.secret, app, user),
    filter: (user) => topics.inbox(app, user),
    createGroup: noGroups,
    close: relay.close,
  };
}
