import type { Logger } from "pino";
import { drainTimeoutMs } from "./drain.ts";
import { exitCodes } from "./failure.ts";
import { createLog, type LogLevel } from "./log.ts";
import type { Notice } from "./read-settings.ts";

/**
 * Opens the log of a process that serves: readable at a terminal, else in lines. Logs the notices, and from now on
 * unexpected errors.
 */
export async function openServiceLog(level: LogLevel, notices: readonly Notice[]): Promise<Logger> {
  const log = await createLog(level, process.stdout.isTTY === true ? "pretty" : "lines");
  survive(log);
  ignoreUserSignals(log);
  for (const { level, text } of notices) log[level](text);
  return log;
}

/**
 * An uncaught exception leaves the process in an unknown state: the store is safe, so the process ends. An unhandled
 * rejection concerns one piece of work only, and must not end all others.
 */
function survive(log: Logger): void {
  process.on("uncaughtException", (err) => {
    log.fatal({ err }, "something unforeseen happened; the server ends, what it acknowledged is stored");
    process.exit(exitCodes.failure);
  });
  process.on("unhandledRejection", (err) => {
    log.error({ err }, "something unforeseen failed; the server goes on, please report it");
  });
}

/**
 * SIGUSR1 would open Node's debugger, with which every local user of the same id runs code in this process; SIGUSR2
 * would end the process at once. Some tools send them to any server, to have log files opened again. Our logs go to
 * standard output, so both do nothing.
 */
function ignoreUserSignals(log: Logger): void {
  for (const signal of ["SIGUSR1", "SIGUSR2"] as const) {
    process.on(signal, () => log.info({ signal }, "this signal has no meaning here and does nothing"));
  }
}

/** Logs that the process serves, and its addresses. Scripts wait for this line: it is written at every level. */
export function announceReady(log: Logger, addresses: object): void {
  const startedInMs = Math.round(performance.now());
  log.child({}, { level: "info" }).info({ ...addresses, startedInMs }, "ready");
}

/**
 * SIGHUP at a terminal says that the terminal is gone, which ends the server as before; otherwise it asks for files to
 * be read again.
 */
const isAtTerminal = () => process.stdout.isTTY === true;
const stopSignals = () => ["SIGINT", "SIGTERM", ...(isAtTerminal() ? ["SIGHUP" as const] : [])] as const;

/** From now on, SIGHUP calls `reload`, except at a terminal, where it ends the process. */
export function listenForReload(reload: () => void): void {
  if (!isAtTerminal()) process.on("SIGHUP", reload);
}

/**
 * A second signal so soon after the first comes from the same key press: both the terminal and a package manager in
 * between passed it on.
 */
const samePressMs = 500;

/** Listens for the signals that end a server, from now on. */
export interface StopSignals {
  /** Resolves with the first signal. */
  readonly requested: Promise<void>;
  /**
   * Waits for the first signal, which may have come already, and closes. A second signal, or a close that takes too
   * long, ends the process at once with exit code 1.
   */
  thenClose(close: () => Promise<void>): Promise<void>;
}

/** Takes the signals over from the system, which would end the process at once. */
export function listenForStop(log: Logger): StopSignals {
  let firstAt: number | undefined;
  const first = new Promise<number>((resolve) => {
    for (const signal of stopSignals()) {
      process.on(signal, () => {
        if (firstAt === undefined) {
          firstAt = performance.now();
          log.info({ signal }, "stopping");
          resolve(firstAt);
        } else if (performance.now() - firstAt > samePressMs) process.exit(exitCodes.failure);
      });
    }
  });
  return {
    requested: first.then(() => {}),
    async thenClose(close) {
      const began = await first;
      const timer = setTimeout(() => {
        log.error(
          `not stopped within ${drainTimeoutMs} ms: the process ends; what was acknowledged is stored`,
        );
        process.exit(exitCodes.failure);
      }, drainTimeoutMs);
      await close();
      clearTimeout(timer);
      log.info({ tookMs: Math.round(performance.now() - began) }, "stopped");
    },
  };
}
