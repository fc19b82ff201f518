import type { ApiChoices } from "@chat21/http-api";
import { unusedOriginalVariables } from "@chat21/original";
import {
  type BrokerConfig,
  type ClusterConfig,
  chooseTls,
  type Environment,
  type LoadedConfig,
  loadClusterConfig,
  readBrokerConfig,
  secretWeakness,
  type TlsFiles,
} from "@chat21/runtime";
import { nodeSettings } from "./node-settings.ts";

/** Configuration of a node, checked and with defaults. */
export interface NodeConfig extends ClusterConfig, BrokerConfig, ApiChoices {
  /** HS256 secret. It has no default: everybody who knows it can sign in as any user. */
  readonly secret: string;
  /** Folder of ES256 keys, which sign instead of the secret; `undefined`: there are none. */
  readonly keysDir: string | undefined;
  /** Accepts tokens that never end. */
  readonly tokensWithoutExp: boolean;
  /** 0 takes any free one. */
  readonly httpPort: number;
  /** MQTT over TCP; `null`: none. */
  readonly mqttPort: number | null;
  /** WebSocket MQTT beside the HTTP port; `null`: none. */
  readonly mqttWsPort: number | null;
  readonly tls: TlsFiles | undefined;
  readonly presenceGraceMs: number;
}

/**
 * Reads the configuration; see `loadClusterConfig`. Notes a weak secret.
 * @param environment `process.env` by default
 */
export function loadNodeConfig(environment: Environment = process.env): LoadedConfig<NodeConfig> {
  const source = { table: nodeSettings, environment, unused: unusedOriginalVariables.cluster };
  return loadClusterConfig(source, ({ read, readRequired, note }) => {
    const secret = readRequired("secret");
    const weakness = secretWeakness(secret);
    if (weakness !== undefined) note("warn", `the secret that signs tokens is weak: ${weakness}`);
    const mqttPort = read("mqttPort");
    return {
      ...readBrokerConfig({ read, readRequired, note }),
      secret,
      keysDir: read("keysDir"),
      tokensWithoutExp: read("tokensWithoutExp") ?? false,
      httpPort: read("httpPort") ?? 8010,
      mqttPort: mqttPort === undefined ? 1883 : mqttPort,
      mqttWsPort: read("mqttWsPort") ?? null,
      basePath: read("basePath") ?? "/api",
      tls: chooseTls(read("tlsCert"), read("tlsKey")),
      trustProxy: read("trustProxy") ?? false,
      namesVisible: read("namesVisible") ?? true,
      presenceGraceMs: (read("presenceGraceSeconds") ?? 5) * 1_000,
      requestsPerMinute: read("requestsPerMinute") ?? 600,
      authFailuresPerMinute: read("authFailuresPerMinute") ?? 60,
    };
  });
}
