import { unusedOriginalVariables } from "@chat21/original";
import {
  type BrokerConfig,
  type ClusterConfig,
  type ClusterReader,
  chooseSettings,
  chooseTls,
  type Environment,
  type LoadedConfig,
  loadClusterConfig,
  readBrokerConfig,
  secretWeakness,
  type TlsFiles,
} from "@chat21/runtime";

/** Every setting of the API as a process of its own beside the `WEBHOOK_` ones, in the order of the help. */
export const apiSettings = chooseSettings(
  ...([
    "rabbitUri",
    "mongoUri",
    "secret",
    "keysDir",
    "tokensWithoutExp",
    "apps",
    "presence",
    "namesVisible",
    "events",
    "groupsFromMessages",
  ] as const),
  ...(["host", "httpPort", "basePath", "tlsCert", "tlsKey", "trustProxy"] as const),
  ...(["requestsPerMinute", "authFailuresPerMinute"] as const),
  ...(["messageCapacity", "messageRefillPerMinute", "contactsUrl"] as const),
  ...(["managementUri", "metricsToken", "logLevel"] as const),
  ...(["autoRestart", "startTimeoutSeconds", "migrate"] as const),
);

/** Configuration of the API as a process of its own, checked and with defaults. */
export interface ApiConfig extends ClusterConfig, BrokerConfig {
  /** HS256 secret. It has no default: everybody who knows it can sign in as any user. */
  readonly secret: string;
  /** Folder of ES256 keys, which sign instead of the secret; `undefined`: there are none. */
  readonly keysDir: string | undefined;
  /** Accepts tokens that never end. */
  readonly tokensWithoutExp: boolean;
  /** 0 takes any free one. */
  readonly httpPort: number;
  /** Path at which REST begins. */
  readonly basePath: string;
  readonly tls: TlsFiles | undefined;
  /** Whether users may read the names of people they share no conversation with. */
  readonly namesVisible: boolean;
  /** As express' `trust proxy`. */
  readonly trustProxy: false | number | string;
  readonly requestsPerMinute: number;
  readonly authFailuresPerMinute: number;
  /** RabbitMQ's management API; `undefined`: connections of revoked tokens stay until they end by themselves. */
  readonly managementUri: string | undefined;
}

/**
 * Reads the configuration; see `loadClusterConfig`. Notes a weak secret.
 * @param environment `process.env` by default
 */
export function loadApiConfig(environment: Environment = process.env): LoadedConfig<ApiConfig> {
  const source = { table: apiSettings, environment, unused: unusedOriginalVariables.cluster };
  return loadClusterConfig(source, (reader) => ({
    secret: readSecret(reader),
    ...readBrokerConfig(reader),
    keysDir: reader.read("keysDir"),
    tokensWithoutExp: reader.read("tokensWithoutExp") ?? false,
    httpPort: reader.read("httpPort") ?? 8010,
    basePath: reader.read("basePath") ?? "/api",
    tls: chooseTls(reader.read("tlsCert"), reader.read("tlsKey")),
    namesVisible: reader.read("namesVisible") ?? true,
    trustProxy: reader.read("trustProxy") ?? false,
    requestsPerMinute: reader.read("requestsPerMinute") ?? 600,
    authFailuresPerMinute: reader.read("authFailuresPerMinute") ?? 60,
    managementUri: reader.read("managementUri"),
  }));
}

function readSecret({ readRequired, note }: ClusterReader<"secret">): string {
  const secret = readRequired("secret");
  const weakness = secretWeakness(secret);
  if (weakness !== undefined) {
    note("warn", `the secret that signs tokens is weak: ${weakness}; change it here and in RabbitMQ`);
  }
  return secret;
}
