import type { Logger } from "pino";
import { drainTimeoutMs } from "./drain.ts";
import { exitCodes } from "./exit-code.ts";

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * A second signal so soon after the first is the same key press, which the terminal and a package manager in between
 * have both passed on.
 */
const samePressMs = 500;

/**
 * Waits for the first signal and closes. A second signal, or a close that takes longer than it may, ends the process
 * at once with exit code 1.
 */
export async function untilStopped(log: Logger, close: () => Promise<void>): Promise<void> {
  const began = await firstSignal(log);
  for (const signal of signals) {
    process.on(signal, () => {
      if (performance.now() - began > samePressMs) process.exit(exitCodes.failure);
    });
  }
  const timer = setTimeout(() => {
    log.error(
      `not stopped within ${drainTimeoutMs} ms: the process ends now; what was acknowledged is stored`,
    );
    process.exit(exitCodes.failure);
  }, drainTimeoutMs);
  await close();
  clearTimeout(timer);
  for (const signal of signals) process.removeAllListeners(signal);
  log.info({ tookMs: Math.round(performance.now() - began) }, "stopped");
}

function firstSignal(log: Logger): Promise<number> {
  return new Promise((resolve) => {
    for (const signal of signals) {
      process.once(signal, () => {
        for (const other of signals) process.removeAllListeners(other);
        log.info({ signal }, "stopping");
        resolve(performance.now());
      });
    }
  });
}
