import { topics } from "@chat21/protocol";
import type { Carrier, CarrierUrls } from "./carrier.ts";
import { spawnScript } from "./spawned-script.ts";
import { app, outgoingTopic, type Target } from "./target.ts";

const noGroups = async () => {};

/** Bare aedes: receivers subscribe to the very topics that senders publish on. */
export async function startBareTarget(carrier: Carrier): Promise<Target> {
  const server = await spawnScript("bare-aedes.ts");
  return {
    name: "bare",
    url: (server.announced as CarrierUrls)[carrier],
    pids: [server.pid],
    peers: {},
    readyMs: null,
    password: () => "",
    filter: (user, from) => {
      if (from === null) return null;
      return "group" in from ? outgoingTopic("+", from.group) : outgoingTopic(from.sender, user);
    },
    createGroup: noGroups,
    close: server.close,
  };
}

/** Our edge alone, with an engine that stores nothing: it shows the edge's part of a message's cost. */
export async function startEdgeTarget(carrier: Carrier): Promise<Target> {
  const server = await spawnScript("edge-only.ts");
  return {
    name: "edge",
    url: (server.announced as CarrierUrls)[carrier],
    pids: [server.pid],
    peers: {},
    readyMs: null,
    password: () => "",
    filter: (user) => topics.inbox(app, user),
    createGroup: noGroups,
    close: server.close,
  };
}
