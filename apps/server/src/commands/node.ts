import { announceReady, listenForReload, listenForStop, openServiceLog } from "@chat21/runtime";
import { loadNodeConfig } from "../node/config.ts";
import { createNode, type Node } from "../node/create-node.ts";
import type { NodeOverrides } from "../node/node-settings.ts";

/** Starts a node and serves until a signal ends it. */
export async function node(overrides: NodeOverrides): Promise<void> {
  const { config, notices } = loadNodeConfig(overrides);
  const log = await openServiceLog(config.logLevel, notices);
  let running: Node | undefined;
  listenForReload(() => running?.reload());
  const stopSignals = listenForStop(log);
  const started = await createNode(config, log);
  running = started;
  announceReady(log, started.addresses);
  await stopSignals.thenClose(() => started.close());
}
