import { parseArgs } from "node:util";
import { ChatError } from "@chat21/protocol";
import type { Logger } from "pino";
import { exitCodes } from "./exit-code.ts";
import { createLog, type LogLevel } from "./log.ts";
import { OperatorError } from "./operator-error.ts";
import type { Notice, SettingTable } from "./read-settings.ts";
import { serviceHelp } from "./service-help.ts";
import { listenForStop } from "./stop-signals.ts";
import { survive } from "./survive.ts";

/** A process that serves. */
export interface RunningService {
  /** Where it can be reached; goes into the line that says that it is ready. */
  readonly addresses: Readonly<Record<string, string | null>>;
  /** Drains, within 10 s. Idempotent. */
  close(): Promise<void>;
}

/** What a process is configured with, as far as every process has it. */
export interface ServiceConfig {
  readonly logLevel: LogLevel;
}

/** A command beside serving: prints, and ends. */
export interface ServiceCommand<Config> {
  /** One line for the help. */
  readonly meaning: string;
  readonly run: (load: () => { readonly config: Config }) => Promise<string>;
}

/** One of the cluster's processes. */
export interface ServiceProgram<Config extends ServiceConfig> {
  /** What it is called on the command line. */
  readonly name: string;
  readonly version: string;
  /** What it does, in one line. */
  readonly purpose: string;
  readonly settings: SettingTable;
  /** Whether the `WEBHOOK_` variables belong to its settings. */
  readonly hasWebhooks: boolean;
  readonly commands?: Readonly<Record<string, ServiceCommand<Config>>>;
  /** Throws `OperatorError` for the first value that cannot be used. */
  readonly load: () => { readonly config: Config; readonly notices: readonly Notice[] };
  /** Resolves when it serves. Throws `OperatorError` for what an operator can put right. */
  readonly create: (config: Config, log: Logger) => Promise<RunningService>;
}

/**
 * Runs a process from its command line until a signal ends it, and sets the exit code. Every failure is one line on
 * standard error that says what is wrong; only what nobody foresaw comes with a stack.
 */
export async function runService<Config extends ServiceConfig>(
  program: ServiceProgram<Config>,
  argv: readonly string[],
): Promise<void> {
  try {
    const line = parse(program, argv.slice(2));
    if (line.version) return print(program.version);
    if (line.help) return print(serviceHelp(program));
    if (line.command !== undefined) return print(await line.command.run(program.load));
    await serve(program);
  } catch (thrown) {
    process.exitCode = thrown instanceof UsageError ? exitCodes.usage : exitCodes.failure;
    process.stderr.write(`${program.name}: ${explain(thrown)}\n`);
  }
}

async function serve<Config extends ServiceConfig>(program: ServiceProgram<Config>): Promise<void> {
  const { config, notices } = program.load();
  const log = await createLog(config.logLevel, process.stdout.isTTY === true ? "pretty" : "lines");
  survive(log);
  for (const { level, text } of notices) log[level](text);
  const stopSignals = listenForStop(log);
  let isStarting = true;
  // Nothing was taken over yet, or its lease runs out: there is nothing to wait for.
  void stopSignals.requested.then(() => isStarting && process.exit(exitCodes.ok));
  const service = await program.create(config, log);
  isStarting = false;
  const startedInMs = Math.round(performance.now());
  // Whoever waits for this line gets it at every level.
  log.child({}, { level: "info" }).info({ ...service.addresses, startedInMs }, "ready");
  await stopSignals.thenClose(() => service.close());
  // Everything is closed; what a driver has left of a peer that hangs must not keep the process.
  process.exit(exitCodes.ok);
}

class UsageError extends Error {}

interface CommandLine<Config> {
  readonly help: boolean;
  readonly version: boolean;
  readonly command: ServiceCommand<Config> | undefined;
}

function parse<Config extends ServiceConfig>(
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

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function explain(thrown: unknown): string {
  if (thrown instanceof OperatorError || thrown instanceof UsageError) return thrown.message;
  if (thrown instanceof ChatError && thrown.code !== "internal") return `${thrown.message} (${thrown.code})`;
  const detail = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  return `this was not foreseen, please report it: ${detail}`;
}
