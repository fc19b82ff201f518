import type { WebhookSettings } from "@chat21/events";
import type { WebhookEvent } from "@chat21/protocol";
import { clusterSettings, clusterVariables, usualEvents } from "./cluster-settings.ts";
import type { LogLevel } from "./log.ts";
import { chooseMessageRate, chooseRateLimits, type MessageRate } from "./message-rate.ts";
import { type Proxies, readProxies } from "./outgoing.ts";
import {
  createSettingsReader,
  type Environment,
  type LoadedConfig,
  type SettingsReader,
  type ValueOf,
} from "./read-settings.ts";
import { loadWebhookSettings } from "./webhook-config.ts";

type ClusterSettings = typeof clusterSettings;

/** Name of a setting of the cluster. */
export type ClusterSettingName = keyof ClusterSettings;

/** Chooses the settings of one process, in the order of its help. */
export function chooseSettings<Name extends ClusterSettingName>(
  ...names: readonly Name[]
): Pick<ClusterSettings, Name> {
  return Object.fromEntries(names.map((name) => [name, clusterSettings[name]])) as Pick<
    ClusterSettings,
    Name
  >;
}

/** Reads the settings that are named, one by one; see {@link SettingsReader}. */
export interface ClusterReader<Name extends ClusterSettingName> {
  read<Read extends Name>(name: Read): ValueOf<ClusterSettings, Read> | undefined;
  readRequired<Read extends Name>(name: Read): ValueOf<ClusterSettings, Read>;
  readonly note: SettingsReader<ClusterSettings>["note"];
}

/** The settings that every process of the cluster has. */
export type CommonSettingName =
  | "autoRestart"
  | "host"
  | "logLevel"
  | "metricsToken"
  | "migrate"
  | "mongoUri"
  | "startTimeoutSeconds";

/** Configuration that every process of the cluster has. */
export interface ClusterConfig {
  readonly mongoUri: string;
  /** Whether missing collections and indexes are made at start. */
  readonly migrate: boolean;
  readonly host: string;
  readonly metricsToken: string | undefined;
  readonly logLevel: LogLevel;
  /** How long the process waits for MongoDB and RabbitMQ; 0: one attempt. */
  readonly startTimeoutMs: number;
  readonly webhooks: WebhookSettings;
  /** For webhooks and look-ups of contacts. */
  readonly proxies: Proxies;
}

/** Source of the configuration of one process of the cluster. */
export interface ClusterConfigSource<Name extends ClusterSettingName> {
  /** The settings that the process has. */
  readonly table: Pick<ClusterSettings, Name | CommonSettingName>;
  readonly environment: Environment;
  /** Values from the command line, as text; they win over the environment. @default none */
  readonly overrides?: Partial<Readonly<Record<NoInfer<Name> | CommonSettingName, string>>>;
  /** Variables that have no effect, each with the reason. */
  readonly unused: ReadonlyMap<string, string>;
}

/**
 * Reads the configuration of a process of the cluster: first its own settings with `readOwn`, then those of every
 * process. It understands the variable names of existing deployments. Throws `OperatorError` for the first value that
 * cannot be used; never shows secrets.
 */
export function loadClusterConfig<Name extends ClusterSettingName, Own extends object>(
  { table, environment, overrides = {}, unused }: ClusterConfigSource<Name>,
  readOwn: (reader: ClusterReader<Name | CommonSettingName>) => Own,
): LoadedConfig<ClusterConfig & Own> {
  const reader = createSettingsReader({
    // The types below allow reading only the settings of the table.
    table: table as ClusterSettings,
    ...{ environment, overrides, unused, others: clusterVariables },
  });
  const { settings: webhooks, notices } = loadWebhookSettings(environment);
  const proxies = readProxies(environment);
  const config = { ...readOwn(reader), ...readCommon(reader), webhooks, proxies };
  return { config, notices: [...reader.notices(), ...notices] };
}

function readCommon({
  read,
  readRequired,
}: ClusterReader<CommonSettingName>): Omit<ClusterConfig, "proxies" | "webhooks"> {
  const waits = read("autoRestart") ?? true;
  const seconds = read("startTimeoutSeconds") ?? 60;
  return {
    mongoUri: readRequired("mongoUri"),
    migrate: read("migrate") ?? true,
    host: read("host") ?? "0.0.0.0",
    metricsToken: read("metricsToken"),
    logLevel: read("logLevel") ?? "INFO",
    startTimeoutMs: waits ? seconds * 1_000 : 0,
  };
}

/** The settings that every process with an engine on the broker has. */
export type BrokerSettingName =
  | "apps"
  | "contactsUrl"
  | "events"
  | "groupsFromMessages"
  | "messageCapacity"
  | "messageRefillPerMinute"
  | "presence"
  | "rabbitUri"
  | "rateLimits";

/** Configuration that every process with an engine on the broker has. */
export interface BrokerConfig {
  readonly rabbitUri: string;
  /** `undefined`: any. */
  readonly apps: readonly string[] | undefined;
  readonly presence: boolean;
  /** Events that go to the exchange `chat21.events`. */
  readonly events: readonly WebhookEvent[];
  /** `undefined`: the engine's default. */
  readonly groupsFromMessages: readonly string[] | undefined;
  /** Whether what one user may cause is limited. */
  readonly rateLimits: boolean;
  /** `undefined`: the engine's default. */
  readonly messageRate: MessageRate | undefined;
  readonly contactsUrl: string | undefined;
}

/** Reads the configuration of a process with an engine on the broker. Throws `OperatorError`. */
export function readBrokerConfig({
  read,
  readRequired,
  note,
}: ClusterReader<BrokerSettingName>): BrokerConfig {
  return {
    rabbitUri: readRequired("rabbitUri"),
    apps: read("apps"),
    presence: read("presence") ?? true,
    events: read("events") ?? usualEvents,
    groupsFromMessages: read("groupsFromMessages"),
    rateLimits: chooseRateLimits(read("rateLimits"), note),
    messageRate: chooseMessageRate(read("messageCapacity"), read("messageRefillPerMinute")),
    contactsUrl: read("contactsUrl"),
  };
}
