import { type Logger, pino } from "pino";

/** Levels of `LOG_LEVEL`; `VERBOSE` is an old name for a level between INFO and DEBUG. */
export const logLevels = ["ERROR", "WARN", "INFO", "VERBOSE", "DEBUG"] as const;

/** One of {@link logLevels}. */
export type LogLevel = (typeof logLevels)[number];

const levels: Readonly<Record<LogLevel, string>> = {
  ERROR: "error",
  WARN: "warn",
  INFO: "info",
  VERBOSE: "debug",
  DEBUG: "trace",
};

/** The form of logs. `lines`: JSON, one object a line, for machines. `pretty`: for a person at a terminal. */
export type LogFormat = "lines" | "pretty";

/** A logger on standard output. Callers give it no payloads or secrets; well-known fields are masked all the same. */
export async function createLog(level: LogLevel, format: LogFormat): Promise<Logger> {
  const options = {
    level: levels[level],
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: ["token", "password", "secret", "*.token", "*.password", "*.secret", "*.authorization"],
  };
  if (format === "lines") return pino(options, pino.destination({ dest: 1, sync: true }));
  const { default: pretty } = await import("pino-pretty");
  return pino(
    options,
    pretty({ colorize: true, ignore: "pid,hostname", translateTime: "SYS:HH:MM:ss", sync: true }),
  );
}
