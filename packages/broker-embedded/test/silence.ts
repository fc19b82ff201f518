import type { Log, Metrics } from "@chat21/engine";

/** Logs nothing below an error; errors fail loudly because no test expects one. */
export const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error(fields, message) {
    throw new Error(`logged an error: ${message} ${JSON.stringify(fields)}`);
  },
};

export const silentMetrics: Metrics = { count() {}, observe() {} };
