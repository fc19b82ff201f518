import { didYouMean } from "./did-you-mean.ts";
import { OperatorError } from "./failure.ts";
import type { Setting } from "./setting.ts";

/** Variables by name, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Something about the settings that the operator should know. */
export interface Notice {
  readonly level: "info" | "warn";
  readonly text: string;
}

/** A configuration and the notices about it. */
export interface LoadedConfig<Config> {
  readonly config: Config;
  readonly notices: readonly Notice[];
}

/** Settings of one process, by the names that the program uses for them. */
export type SettingTable = Readonly<Record<string, Setting<unknown>>>;

/** The value of a setting of a table. */
export type ValueOf<Table extends SettingTable, Name extends keyof Table> =
  Table[Name] extends Setting<infer Value> ? Value : never;

/** The source of settings, and facts beside the table. */
export interface SettingsSource<Table extends SettingTable> {
  readonly table: Table;
  readonly environment: Environment;
  /** Values from the command line, as text; they win over the environment. @default none */
  readonly overrides?: Partial<Readonly<Record<keyof Table & string, string>>>;
  /** Variables that existing deployments set and that have no effect here, each with the reason. */
  readonly unused: ReadonlyMap<string, string>;
  /** Variables that other processes of the same deployment read: no notice mentions them. @default none */
  readonly others?: Iterable<string>;
}

/** Reads settings one by one. */
export interface SettingsReader<Table extends SettingTable> {
  /** The value; `undefined` when it is not set. Throws `OperatorError` for one that cannot be used. */
  read<Name extends keyof Table & string>(name: Name): ValueOf<Table, Name> | undefined;
  /** As {@link SettingsReader.read}, and throws `OperatorError` for one that is not set. */
  readRequired<Name extends keyof Table & string>(name: Name): ValueOf<Table, Name>;
  /** Adds a notice. */
  note(level: Notice["level"], text: string): void;
  /**
   * All notices, in the order in which they were added, and notices about variables that are set but not used: old ones
   * with the reason, unknown `CHAT21_` ones with the likely meaning. Never shows secrets.
   */
  notices(): readonly Notice[];
}

/** Makes a reader. An empty value counts as not set; of several names of a setting the first that is set wins. */
export function createSettingsReader<Table extends SettingTable>(
  source: SettingsSource<Table>,
): SettingsReader<Table> {
  const { table, environment, overrides = {} as never } = source;
  const found: Notice[] = [];

  const read = <Name extends keyof Table & string>(name: Name): ValueOf<Table, Name> | undefined => {
    const setting = table[name] as unknown as Setting<ValueOf<Table, Name>>;
    const set = setting.names.filter((candidate) => isSet(environment, candidate));
    const [first, ...others] = set;
    for (const other of others) {
      if (environment[other] === environment[first as string]) continue;
      found.push({ level: "warn", text: `${other} is not used: ${first} is set as well and wins` });
    }
    const override = overrides[name];
    if (override !== undefined) return parse(setting, `--${setting.flag ?? name}`, override);
    return first === undefined ? undefined : parse(setting, first, environment[first] as string);
  };

  return {
    read,
    readRequired(name) {
      const value = read(name);
      if (value !== undefined) return value;
      const { names, meaning } = table[name] as Setting<unknown>;
      throw new OperatorError(`${names.join(" or ")}: missing; ${meaning}`);
    },
    note: (level, text) => void found.push({ level, text }),
    notices: () => [...found, ...noticesOfOthers(source)],
  };
}

function isSet(environment: Environment, name: string): boolean {
  return (environment[name] ?? "") !== "";
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

function noticesOfOthers({
  table,
  environment,
  unused,
  others = [],
}: SettingsSource<SettingTable>): Notice[] {
  const known = new Set(Object.values(table).flatMap((setting) => setting.names));
  const elsewhere = new Set(others);
  const notices: Notice[] = [];
  for (const name of Object.keys(environment).sort()) {
    if (!isSet(environment, name) || known.has(name)) continue;
    const reason = unused.get(name);
    if (reason !== undefined) notices.push({ level: "info", text: `${name} is not used: ${reason}` });
    else if (name.startsWith("CHAT21_") && !elsewhere.has(name)) {
      notices.push({ level: "warn", text: unknownText(name, known) });
    }
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
