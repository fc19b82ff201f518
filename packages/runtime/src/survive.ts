import type { Logger } from "pino";
import { exitCodes } from "./exit-code.ts";

/**
 * Prepares the process for what nobody foresaw. An exception that nobody caught leaves it in a state nobody knows: the
 * store is safe, so the process ends. A rejection that nobody waited for concerns that one piece of work only, and must
 * not take everybody else down.
 */
export function survive(log: Logger): void {
  process.on("uncaughtException", (err) => {
    log.fatal({ err }, "something unforeseen happened; the server ends, what it acknowledged is stored");
    process.exit(exitCodes.failure);
  });
  process.on("unhandledRejection", (err) => {
    log.error({ err }, "something unforeseen failed; the server goes on, please report it");
  });
}
