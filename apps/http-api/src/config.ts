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
import type { AuthorityConfig } from "./authority.ts";
import {
  chooseIdentityProvider,
  type IdentityProviderSettingName,
  identityProviderSettingNames,
} from "./identity-provider.ts";

/** Every setting of the API as a process of its own beside the `WEBHOOK_` ones, in the order of the help. */
export const apiSettings = chooseSettings(
  ...([
    "rabbitUri",
    "mongoUri",
    "secret",
    "keysDir",
    "tokensWithoutExp",
    ...identityProviderSettingNames,
    "apps",
    "presence",
    "namesVisible",
    "events",
    "groupsFromMessages",
  ] as const),
  ...(["host", "httpPort", "basePath", "tlsCert", "tlsKey", "trustProxy"] as const),
  ...(["requestsPerMinute", "authFailuresPerMinute"] as const),
  ...(["rateLimits", "messageCapacity", "messageRefillPerMinute", "contactsUrl"] as const),
  ...(["managementUri", "metricsToken", "logLevel"] as const),
  ...(["autoRestart", "startTimeoutSeconds", "migrate"] as const),
);

/** Configuration of every process that serves the API from the shared database, checked and with defaults. */
export interface SharedApiConfig extends AuthorityConfig {
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
}

/** Configuration of the API as a process of its own, checked and with defaults. */
export interface ApiConfig extends ClusterConfig, BrokerConfig, SharedApiConfig {
  /** RabbitMQ's management API; `undefined`: connections of revoked tokens stay until they end by themselves. */
  readonly managementUri: string | undefined;
}

/** Reads what every process that serves the API has, beside the secret. */
export function readSharedApiConfig({
  read,
}: ClusterReader<SharedApiSettingName>): Omit<SharedApiConfig, "secret"> {
  return {
    keysDir: read("keysDir"),
    tokensWithoutExp: read("tokensWithoutExp") ?? false,
    identityProvider: chooseIdentityProvider({
      issuer: read("oidcIssuer"),
      audiences: read("oidcAudience"),
      jwksUrl: read("oidcJwksUrl"),
      app: read("oidcApp"),
      userClaim: read("oidcUserClaim"),
      apps: read("apps"),
    }),
    httpPort: read("httpPort") ?? 8010,
    basePath: read("basePath") ?? "/api",
    tls: chooseTls(read("tlsCert"), read("tlsKey")),
    namesVisible: read("namesVisible") ?? true,
    trustProxy: read("trustProxy") ?? false,
    requestsPerMinute: read("requestsPerMinute") ?? 600,
    authFailuresPerMinute: read("authFailuresPerMinute") ?? 60,
  };
}

type SharedApiSettingName =
  | "apps"
  | "authFailuresPerMinute"
  | "basePath"
  | "httpPort"
  | "keysDir"
  | "namesVisible"
  | IdentityProviderSettingName
  | "requestsPerMinute"
  | "tlsCert"
  | "tlsKey"
  | "tokensWithoutExp"
  | "trustProxy";

/**
 * Reads the configuration; see `loadClusterConfig`. Notes a weak secret.
 * @param environment `process.env` by default
 */
export function loadApiConfig(environment: Environment = process.env): LoadedConfig<ApiConfig> {
  const source = { table: apiSettings, environment, unused: unusedOriginalVariables.cluster };
  return loadClusterConfig(source, (reader) => ({
    secret: readSecret(reader),
    ...readBrokerConfig(reader),
    ...readSharedApiConfig(reader),
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
