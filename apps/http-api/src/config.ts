import type { WebhookSettings } from "@chat21/events";
import { unusedOriginalVariables } from "@chat21/original";
import type { WebhookEvent } from "@chat21/protocol";
import {
  type ClusterConfig,
  chooseMessageRate,
  chooseTls,
  clusterVariables,
  createSettingsReader,
  type Environment,
  loadWebhookSettings,
  type MessageRate,
  type Notice,
  readClusterConfig,
  secretWeakness,
  type TlsFiles,
  usualEvents,
} from "@chat21/runtime";
import { apiSettings } from "./settings.ts";

/** Everything that can be chosen about the API as a process of its own, checked and with defaults. */
export interface ApiConfig extends ClusterConfig {
  readonly rabbitUri: string;
  /** HS256. There is no default: whoever knows it can sign in as anybody. */
  readonly secret: string;
  /** Folder of ES256 keys, which sign instead of the secret; `undefined`: there are none. */
  readonly keysDir: string | undefined;
  /** `undefined`: any. */
  readonly apps: readonly string[] | undefined;
  readonly presence: boolean;
  /** Events that go to the exchange `chat21.events`. */
  readonly events: readonly WebhookEvent[];
  /** 0 takes any free one. */
  readonly httpPort: number;
  /** Where REST begins. */
  readonly basePath: string;
  readonly tls: TlsFiles | undefined;
  /** As express' `trust proxy`. */
  readonly trustProxy: false | number | string;
  readonly requestsPerMinute: number;
  readonly messageRate: MessageRate | undefined;
  readonly contactsUrl: string | undefined;
  /** RabbitMQ's management API; `undefined`: connections of revoked tokens stay until they end by themselves. */
  readonly managementUri: string | undefined;
  readonly webhooks: WebhookSettings;
}

/**
 * Reads the configuration; the names of existing deployments are understood. Throws `OperatorError` for the first value
 * that cannot be used; never shows secrets.
 * @param environment `process.env` by default
 */
export function loadApiConfig(environment: Environment = process.env): {
  readonly config: ApiConfig;
  readonly notices: readonly Notice[];
} {
  const reader = createSettingsReader({
    ...{ table: apiSettings, environment, unused: unusedOriginalVariables.cluster, others: clusterVariables },
  });
  const { read } = reader;
  const webhooks = loadWebhookSettings(environment);
  const secret = reader.readRequired("secret");
  const weakness = secretWeakness(secret);
  if (weakness !== undefined) {
    reader.note("warn", `the secret that signs tokens is weak: ${weakness}; change it here and in RabbitMQ`);
  }
  const config: ApiConfig = {
    rabbitUri: reader.readRequired("rabbitUri"),
    ...readClusterConfig(reader),
    secret,
    keysDir: read("keysDir"),
    apps: read("apps"),
    presence: read("presence") ?? true,
    events: read("events") ?? usualEvents,
    httpPort: read("httpPort") ?? 8010,
    basePath: read("basePath") ?? "/api",
    tls: chooseTls(read("tlsCert"), read("tlsKey")),
    trustProxy: read("trustProxy") ?? false,
    requestsPerMinute: read("requestsPerMinute") ?? 600,
    messageRate: chooseMessageRate(read("messageCapacity"), read("messageRefillPerMinute")),
    contactsUrl: read("contactsUrl"),
    managementUri: read("managementUri"),
    webhooks: webhooks.settings,
  };
  return { config, notices: [...reader.notices(), ...webhooks.notices] };
}
