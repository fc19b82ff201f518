import { resolve } from "node:path";
import { didYouMean } from "./did-you-mean.ts";
import { commandLine } from "./invocation.ts";
import { isLoopback } from "./loopback.ts";
import { OperatorError } from "./operator-error.ts";
import type { Setting } from "./setting.ts";
import { type LogLevel, type SettingName, type SettingValue, settings } from "./settings.ts";
import { unusedSettings } from "./unused-settings.ts";

/** Variables by name, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Values from the command line, as text; they win over the environment. */
export type Overrides = Partial<Readonly<Record<SettingName, string>>>;

/** Something about the settings that the operator should know. */
export interface Notice {
  readonly level: "info" | "warn";
  readonly text: string;
}

/** Everything that can be chosen about a server, checked and with defaults. */
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
  /** `undefined`: any. */
  readonly apps: readonly string[] | undefined;
  readonly development: boolean;
  /** Paths of PEM files, or PEM text. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
  /** `undefined`: INFO, and WARN at a terminal. */
  readonly logLevel: LogLevel | undefined;
  readonly presence: boolean;
  readonly messageRate: { readonly capacity: number; readonly refillPerMinute: number } | undefined;
  readonly contactsUrl: string | undefined;
  /** Where REST begins. */
  readonly basePath: string;
  readonly requestsPerMinute: number;
  readonly metricsToken: string | undefined;
  /** As express' `trust proxy`. */
  readonly trustProxy: false | number | string;
  /** Which server the commands talk to; `undefined`: the one of the data folder. */
  readonly serverUrl: string | undefined;
  /** How `chat21` is started here. */
  readonly command: string;
  /** Variables whose names begin with `WEBHOOK_`, for the webhooks' own schema. */
  readonly webhooks: Environment;
}

/** A configuration and what there is to say about it. */
export interface LoadedConfig {
  readonly config: Config;
  readonly notices: readonly Notice[];
}

/** What the defaults of a bucket are once it is switched on; those of existing deployments. */
const defaultRate = 30;

/**
 * Reads the configuration. Throws `OperatorError` for the first value that cannot be used; never shows secrets.
 * @param environment `process.env` by default
 */
export function loadConfig(overrides: Overrides = {}, environment: Environment = process.env): LoadedConfig {
  const notices: Notice[] = [];
  const read = <Name extends SettingName>(name: Name): SettingValue<Name> | undefined =>
    readSetting(name, overrides, environment, notices);
  const host = read("host") ?? "127.0.0.1";
  const config: Config = {
    httpPort: read("httpPort") ?? 8010,
    mqttPort: orDefault(read("mqttPort"), 1883),
    mqttWsPort: read("mqttWsPort") ?? null,
    host,
    dataDir: resolve(read("dataDir") ?? ".chat21"),
    secret: read("secret"),
    apps: read("apps"),
    development: chooseDevelopment(read("development"), host, notices),
    tls: chooseTls(read("tlsCert"), read("tlsKey")),
    logLevel: read("logLevel"),
    presence: read("presence") ?? true,
    messageRate: chooseRate(read("messageCapacity"), read("messageRefillPerMinute")),
    contactsUrl: read("contactsUrl"),
    basePath: read("basePath") ?? "/api",
    requestsPerMinute: read("requestsPerMinute") ?? 600,
    metricsToken: read("metricsToken"),
    trustProxy: read("trustProxy") ?? false,
    serverUrl: read("serverUrl"),
    command: commandLine(process.argv, environment),
    webhooks: Object.fromEntries(Object.entries(environment).filter(([name]) => name.startsWith("WEBHOOK_"))),
  };
  notices.push(...noticesOfOthers(environment));
  return { config, notices };
}

function orDefault<Value>(value: Value | undefined, fallback: Value): Value {
  return value === undefined ? fallback : value;
}

function readSetting<Name extends SettingName>(
  name: Name,
  overrides: Overrides,
  environment: Environment,
  notices: Notice[],
): SettingValue<Name> | undefined {
  const setting = settings[name] as Setting<SettingValue<Name>>;
  const set = setting.names.filter((candidate) => (environment[candidate] ?? "") !== "");
  const [first, ...others] = set;
  for (const other of others) {
    if (environment[other] === environment[first as string]) continue;
    notices.push({ level: "warn", text: `${other} is not used: ${first} is set as well and wins` });
  }
  const override = overrides[name];
  if (override !== undefined) return parse(setting, `--${setting.flag ?? name}`, override);
  return first === undefined ? undefined : parse(setting, first, environment[first] as string);
}

function parse<Value>(setting: Setting<Value>, source: string, text: string): Value {
  const result = setting.schema.safeParse(text);
  if (result.success) return result.data;
  const message = result.error.issues[0]?.message ?? "cannot be used";
  const got = setting.isSecret === true ? "" : `, got ${JSON.stringify(shorten(text))}`;
  throw new OperatorError(`${source}: ${message}${got}`);
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

function chooseDevelopment(wanted: boolean | undefined, host: string, notices: Notice[]): boolean {
  if (isLoopback(host)) return wanted ?? true;
  notices.push({
    level: "warn",
    text:
      wanted === true
        ? `CHAT21_DEV has no effect: ${host} can be reached from other machines, so there is no development sign-in`
        : `${host} can be reached from other machines: production mode, no development sign-in`,
  });
  return false;
}

function chooseTls(cert: string | undefined, key: string | undefined): Config["tls"] {
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined) throw new OperatorError("CHAT21_TLS_CERT: missing, although CHAT21_TLS_KEY is set");
  if (key === undefined) throw new OperatorError("CHAT21_TLS_KEY: missing, although CHAT21_TLS_CERT is set");
  return { cert, key };
}

function chooseRate(
  capacity: number | undefined,
  refillPerMinute: number | undefined,
): Config["messageRate"] {
  if (capacity === undefined && refillPerMinute === undefined) return undefined;
  return { capacity: capacity ?? defaultRate, refillPerMinute: refillPerMinute ?? defaultRate };
}

/** Variables that are set and not ours to use: old ones with the reason, unknown ones with the likely meaning. */
function noticesOfOthers(environment: Environment): Notice[] {
  const known = new Set<string>(Object.values(settings).flatMap((setting) => setting.names));
  const notices: Notice[] = [];
  for (const name of Object.keys(environment).sort()) {
    if ((environment[name] ?? "") === "" || known.has(name)) continue;
    const reason = unusedSettings.get(name);
    if (reason !== undefined) notices.push({ level: "info", text: `${name} is not used: ${reason}` });
    else if (name.startsWith("CHAT21_")) notices.push({ level: "warn", text: unknownText(name, known) });
  }
  if (environment["NODE_TLS_REJECT_UNAUTHORIZED"] === "0") {
    notices.push({
      level: "warn",
      text: "NODE_TLS_REJECT_UNAUTHORIZED=0 turns off every check of certificates, of webhooks too: remove it",
    });
  }
  return notices;
}

function unknownText(name: string, known: Iterable<string>): string {
  const guess = didYouMean(name, known);
  return `${name} is not a setting${guess === undefined ? "" : `; did you mean ${guess}?`}`;
}
