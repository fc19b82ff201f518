import { readSharedApiConfig, type SharedApiConfig } from "@chat21/http-api";
import { unusedOriginalVariables } from "@chat21/original";
import {
  type BrokerConfig,
  type ClusterConfig,
  type Environment,
  type LoadedConfig,
  loadClusterConfig,
  readBrokerConfig,
  secretWeakness,
} from "@chat21/runtime";
import { type NodeOverrides, nodeSettings } from "./node-settings.ts";

/** Configuration of a node, checked and with defaults. */
export interface NodeConfig extends ClusterConfig, BrokerConfig, SharedApiConfig {
  /** MQTT over TCP; `null`: none. */
  readonly mqttPort: number | null;
  /** WebSocket MQTT beside the HTTP port; `null`: none. */
  readonly mqttWsPort: number | null;
  readonly presenceGraceMs: number;
  /** `undefined`: the edge's default. */
  readonly sessionsPerUser: number | undefined;
}

/**
 * Reads the configuration; see `loadClusterConfig`. Notes a weak secret.
 * @param environment `process.env` by default
 */
export function loadNodeConfig(
  overrides: NodeOverrides = {},
  environment: Environment = process.env,
): LoadedConfig<NodeConfig> {
  const source = { table: nodeSettings, environment, overrides, unused: unusedOriginalVariables.cluster };
  return loadClusterConfig(source, (reader) => {
    const { read, readRequired, note } = reader;
    const secret = readRequired("secret");
    const weakness = secretWeakness(secret);
    if (weakness !== undefined) note("warn", `the secret that signs tokens is weak: ${weakness}`);
    const mqttPort = read("mqttPort");
    return {
      secret,
      ...readBrokerConfig(reader),
      ...readSharedApiConfig(reader),
      mqttPort: mqttPort === undefined ? 1883 : mqttPort,
      mqttWsPort: read("mqttWsPort") ?? null,
      presenceGraceMs: (read("presenceGraceSeconds") ?? 5) * 1_000,
      sessionsPerUser: read("sessionsPerUser"),
    };
  });
}
