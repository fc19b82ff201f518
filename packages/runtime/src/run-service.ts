import { parseArgs } from "node:util";
import type { Logger } from "pino";
import { exitCodes, failureText, OperatorError } from "./failure.ts";
import { announceReady, listenForReload, listenForStop, openServiceLog } from "./lifecycle.ts";
import type { LogLevel } from "./log.ts";
import type { LoadedConfig, SettingTable } from "./read-settings.ts";

/** Definition of one of the cluster's processes: {@link runService} makes a command of it. */
export interface ServiceProgram<Config extends { readonly logLevel: LogLevel }> {
  /** Its name on the command line. */
  readonly name: string;
  readonly version: string;
  /** Its purpose, in one line. */
  readonly purpose: string;
  /** Settings that `--help` lists beside the `WEBHOOK_` variables, in this order. */
  readonly settings: SettingTable;
  readonly commands?: Readonly<Record<string, ServiceCommand<Config>>>;
  /** Throws `OperatorError` for the first value that cannot be used. */
  readonly load: () => LoadedConfig<Config>;
  /** Resolves when it serves. Throws `OperatorError` for an error that an operator can put right. */
  readonly start: (config: Config, log: Logger) => Promise<RunningService>;
}

/** A command beside serving: prints, and ends. */
export interface ServiceCommand<Config> {
  /** One line for the help. */
  readonly meaning: string;
  readonly run: (load: () => LoadedConfig<Config>) => Promise<string>;
}

/** A process that serves. */
export interface RunningService {
  /** Its addresses; they go into the line that says that it is ready. */
  readonly addresses: Readonly<Record<string, string | null>>;
  /** Reads certificates and keys again from their files; see `Reloads.run`. */
  reload(): void;
  /** Drains, within 10 s. Idempotent. */
  close(): Promise<void>;
}

/**
 * Runs a process from its command line until a signal ends it, and sets the exit code. Every failure is one line on
 * standard error that says what is wrong; only unexpected errors come with a stack.
 */
export async function runService<Config extends { readonly logLevel: LogLevel }>(
  program: ServiceProgram<Config>,
  argv: readonly string[],
): Promise<void> {
  try {
    const line = parse(program, argv.slice(2));
    if (line.version) return print(program.version);
    if (line.help) return print(helpOf(program));
    if (line.command !== undefined) return print(await line.command.run(program.load));
    await serve(program);
  } catch (thrown) {
    process.exitCode = thrown instanceof UsageError ? exitCodes.usage : exitCodes.failure;
    process.stderr.write(`${program.name}: ${failureText(thrown)}\n`);
  }
}

async function serve<Config extends { readonly logLevel: LogLevel }>({
  load,
  start,
}: ServiceProgram<Config>): Promise<void> {
  const { config, notices } = load();
  const log = await openServiceLog(config.logLevel, notices);
  const stopSignals = listenForStop(log);
  let running: RunningService | undefined;
  listenForReload(() => running?.reload());
  // The process has no work yet, or the leases of its work run out: there is nothing to wait for.
  void stopSignals.requested.then(() => running === undefined && process.exit(exitCodes.ok));
  const service = await start(config, log);
  running = service;
  announceReady(log, service.addresses);
  await stopSignals.thenClose(() => service.close());
  // Everything is closed; a driver's leftovers of a peer that hangs must not keep the process alive.
  process.exit(exitCodes.ok);
}

class UsageError extends OperatorError {}

interface CommandLine<Config> {
  readonly help: boolean;
  readonly version: boolean;
  readonly command: ServiceCommand<Config> | undefined;
}

function parse<Config extends { readonly logLevel: LogLevel }>(
  { commands = {} }: ServiceProgram<Config>,
  args: readonly string[],
): CommandLine<Config> {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { help: { type: "boolean", short: "h" }, version: { type: "boolean", short: "v" } },
    });
    const [name, ...more] = positionals;
    const command = name !== undefined && Object.hasOwn(commands, name) ? commands[name] : undefined;
    if (more.length > 0 || (name !== undefined && command === undefined)) {
      throw new UsageError(`there is no command "${positionals.join(" ")}"; see --help`);
    }
    return { help: values.help ?? false, version: values.version ?? false, command };
  } catch (thrown) {
    if (thrown instanceof UsageError) throw thrown;
    throw new UsageError(`${thrown instanceof Error ? thrown.message : String(thrown)}; see --help`);
  }
}

type Described = Pick<ServiceProgram<never>, "name" | "purpose" | "settings"> & {
  readonly commands?: Readonly<Record<string, { readonly meaning: string }>>;
};

/** Text of `--help`: everything is chosen by the environment. */
function helpOf({ name, purpose, settings, commands = {} }: Described): string {
  const usage = [
    [name, purpose],
    ...Object.entries(commands).map(([command, { meaning }]) => [`${name} ${command}`, meaning]),
    [`${name} --help`, "Shows this."],
    [`${name} --version`, "Shows the version."],
  ];
  return ["usage:", ...columns(usage), "", environmentHelp(settings)].join("\n");
}

/** The part of a help text about the variables that a process of the cluster reads. */
export function environmentHelp(settings: SettingTable): string {
  const variables = Object.values(settings).map(({ names, meaning, defaultText }) => [
    names.join(", "),
    `${meaning} [${defaultText}]`,
  ]);
  const more = "and the WEBHOOK_ variables: see docs/configuration.md";
  return ["environment:", ...columns(variables), "", more].join("\n");
}

function columns(rows: readonly (readonly string[])[]): string[] {
  const width = Math.max(...rows.map(([first = ""]) => first.length));
  return rows.map(([first = "", second = ""]) => `  ${first.padEnd(width)}  ${second}`);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
