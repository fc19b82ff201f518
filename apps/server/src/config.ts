import { resolve } from "node:path";
import { chooseIdentityProvider, type IdentityProviderConfig } from "@chat21/http-api";
import { unusedOriginalVariables } from "@chat21/original";
import {
  chooseMessageRate,
  chooseRateLimits,
  chooseTls,
  createSettingsReader,
  type Environment,
  isLoopback,
  type LoadedConfig,
  type LogLevel,
  type MessageRate,
  type SettingsReader,
  type TlsFiles,
} from "@chat21/runtime";
import { commandLine } from "./invocation.ts";
import { type SettingName, settings } from "./settings.ts";

/** Values from the command line, as text; they win over the environment. */
export type Overrides = Partial<Readonly<Record<SettingName, string>>>;

/** Configuration of a server, checked and with defaults. */
export interface Config {
  /** 0 takes any free port. */
  readonly httpPort: number;
  /** `null`: no such listener. */
  readonly mqttPort: number | null;
  /** `null`: no such listener. */
  readonly mqttWsPort: number | null;
  readonly host: string;
  /** Absolute path. */
  readonly dataDir: string;
  /** `undefined`: the one in the data folder. */
  readonly secret: string | undefined;
  /** Folder of ES256 keys, which sign instead of the secret; `undefined`: there are none. */
  readonly keysDir: string | undefined;
  /** Accepts tokens that never end. */
  readonly tokensWithoutExp: boolean;
  /** Whose tokens count beside our own; `undefined`: nobody's. */
  readonly identityProvider: IdentityProviderConfig | undefined;
  /** `undefined`: any. */
  readonly apps: readonly string[] | undefined;
  readonly development: boolean;
  /** Whether people on this machine sign in by name alone: not where a secret is set, unless it is asked for. */
  readonly signInByName: boolean;
  /** Paths of PEM files, or PEM text. */
  readonly tls: TlsFiles | undefined;
  /** `undefined`: INFO, and WARN at a terminal. */
  readonly logLevel: LogLevel | undefined;
  readonly presence: boolean;
  readonly presenceGraceMs: number;
  /** `undefined`: the engine's default. */
  readonly groupsFromMessages: readonly string[] | undefined;
  /** Whether users may read the names of people they share no conversation with. */
  readonly namesVisible: boolean;
  /** Room that is kept free on the data folder's disk. */
  readonly diskReserveMiB: number;
  /** Whether what one user may cause is limited. */
  readonly rateLimits: boolean;
  /** `undefined`: the edge's default. */
  readonly sessionsPerUser: number | undefined;
  /** `undefined`: the engine's default. */
  readonly messageRate: MessageRate | undefined;
  readonly contactsUrl: string | undefined;
  /** Path that is taken off requests which begin with it; `""`: none. */
  readonly pathPrefix: string;
  /** Path at which REST begins. */
  readonly basePath: string;
  readonly requestsPerMinute: number;
  readonly authFailuresPerMinute: number;
  readonly metricsToken: string | undefined;
  /** As express' `trust proxy`. */
  readonly trustProxy: false | number | string;
  /** Address of the server that commands talk to; `undefined`: the server of the data folder. */
  readonly serverUrl: string | undefined;
  /** Token of the commands. `undefined`: made from the secret. */
  readonly cliToken: string | undefined;
  /** The command line that starts `chat21` here. */
  readonly command: string;
  /** Variables whose names begin with `WEBHOOK_`, for the webhooks' own schema. */
  readonly webhooks: Environment;
  /** `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`, for `readProxies`: only a server that starts needs them. */
  readonly proxies: Environment;
}

/**
 * Reads the configuration. Throws `OperatorError` for the first value that cannot be used; never shows secrets.
 * @param environment `process.env` by default
 */
export function loadConfig(
  overrides: Overrides = {},
  environment: Environment = process.env,
): LoadedConfig<Config> {
  const reader = createSettingsReader({
    table: settings,
    environment,
    overrides,
    unused: unusedOriginalVariables.server,
  });
  const { read } = reader;
  const host = read("host") ?? "127.0.0.1";
  const [secret, keysDir, wanted] = [read("secret"), read("keysDir"), read("development")];
  const development = chooseDevelopment(wanted, host, reader.note);
  const hasOwnKeys = secret !== undefined || keysDir !== undefined;
  const config: Config = {
    httpPort: read("httpPort") ?? 8010,
    mqttPort: orDefault(read("mqttPort"), 1883),
    mqttWsPort: read("mqttWsPort") ?? null,
    host,
    dataDir: resolve(read("dataDir") ?? ".chat21"),
    secret,
    keysDir,
    tokensWithoutExp: read("tokensWithoutExp") ?? false,
    identityProvider: chooseIdentityProvider({
      issuer: read("oidcIssuer"),
      audiences: read("oidcAudience"),
      jwksUrl: read("oidcJwksUrl"),
      app: read("oidcApp"),
      userClaim: read("oidcUserClaim"),
      apps: read("apps"),
    }),
    apps: read("apps"),
    development,
    signInByName: development && (wanted === true || !hasOwnKeys),
    tls: chooseTls(read("tlsCert"), read("tlsKey")),
    logLevel: read("logLevel"),
    presence: read("presence") ?? true,
    namesVisible: read("namesVisible") ?? true,
    presenceGraceMs: (read("presenceGraceSeconds") ?? 5) * 1_000,
    groupsFromMessages: read("groupsFromMessages"),
    diskReserveMiB: read("diskReserveMiB") ?? 256,
    rateLimits: chooseRateLimits(read("rateLimits"), reader.note),
    sessionsPerUser: read("sessionsPerUser"),
    messageRate: chooseMessageRate(read("messageCapacity"), read("messageRefillPerMinute")),
    contactsUrl: read("contactsUrl"),
    pathPrefix: read("pathPrefix") ?? "",
    basePath: read("basePath") ?? "/api",
    requestsPerMinute: read("requestsPerMinute") ?? 600,
    authFailuresPerMinute: read("authFailuresPerMinute") ?? 60,
    metricsToken: read("metricsToken"),
    trustProxy: read("trustProxy") ?? false,
    serverUrl: read("serverUrl"),
    cliToken: read("cliToken"),
    command: commandLine(process.argv, environment),
    webhooks: Object.fromEntries(Object.entries(environment).filter(([name]) => name.startsWith("WEBHOOK_"))),
    proxies: Object.fromEntries(
      Object.entries(environment).filter(([name]) => /^(https?|no)_proxy$/i.test(name)),
    ),
  };
  return { config, notices: reader.notices() };
}

function orDefault<Value>(value: Value | undefined, fallback: Value): Value {
  return value === undefined ? fallback : value;
}

function chooseDevelopment(
  wanted: boolean | undefined,
  host: string,
  note: SettingsReader<typeof settings>["note"],
): boolean {
  if (isLoopback(host)) return wanted ?? true;
  note(
    "warn",
    wanted === true
      ? `CHAT21_DEV has no effect: ${host} can be reached from other machines, so there is no development sign-in`
      : `${host} can be reached from other machines: production mode, no development sign-in`,
  );
  return false;
}
