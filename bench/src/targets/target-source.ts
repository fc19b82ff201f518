import type { BenchOptions } from "../bench-options.ts";
import { openChat21Target } from "./chat21-target.ts";
import { startServiceSet } from "./service-set.ts";
import { isServiceTarget, openOnServices, type ServiceTargetName, servicesFor } from "./service-targets.ts";
import { startBareTarget, startEdgeTarget } from "./spawned-targets.ts";
import { startChat21Target } from "./started-chat21-target.ts";
import type { Target } from "./target.ts";

/** The source of a run's targets, one after the other. */
export interface TargetSource {
  /** `checkout`: folder of the repository whose built server is started, if one is. @default this one */
  open(checkout?: string): Promise<Target>;
  /** Ends the parts that all targets share. */
  close(): Promise<void>;
}

/** The source that the command line names. `withApi`: groups are needed. */
export async function targetSource(options: BenchOptions, withApi: boolean): Promise<TargetSource> {
  if (isServiceTarget(options.target)) return onServices(options, options.target, withApi);
  return { open: async (checkout) => openTarget(options, checkout), close: async () => {} };
}

async function onServices(
  { dataDir, carrier, observers, nodes, cpuProfileDir }: BenchOptions,
  name: ServiceTargetName,
  withApi: boolean,
): Promise<TargetSource> {
  const services = await startServiceSet({ parentFolder: dataDir, for: servicesFor[name] });
  const cluster = { carrier, observers, nodes, withApi, cpuProfileDir };
  const open = (checkout?: string) => openOnServices(services, name, { ...cluster, checkout });
  return { open, close: services.close };
}

function openTarget(options: BenchOptions, checkout: string | undefined): Promise<Target> | Target {
  const { carrier, target, secret, api, pids, dataDir, cpuProfileDir } = options;
  switch (target) {
    case "bare":
      return startBareTarget(carrier);
    case "edge":
      return startEdgeTarget(carrier);
    case "chat21":
      return startChat21Target({ carrier, parentFolder: dataDir, cpuProfileDir, checkout });
    default:
      if (!URL.canParse(target)) throw new Error(`--target: there is no ${target}`);
      return openChat21Target({ name: target, url: target, secret, apiUrl: api, pids });
  }
}
