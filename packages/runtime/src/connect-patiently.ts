import { setTimeout as delay } from "node:timers/promises";
import type { Log } from "@chat21/engine";
import { OperatorError } from "./failure.ts";

/** Rests between attempts. */
const restMs = { first: 250, longest: 3_000 } as const;

/** Something that is needed before a process can serve. */
export interface PatientConnection<Connected> {
  /** Its name, as in "MongoDB at 127.0.0.1:27017", without secrets. */
  readonly what: string;
  /** The variable that holds its address. */
  readonly variable: string;
  /** One attempt; leaves nothing behind when it rejects. */
  readonly connect: () => Promise<Connected>;
  /** No attempt begins later; 0 for a single one. */
  readonly timeoutMs: number;
  readonly log: Pick<Log, "info">;
}

/**
 * Connects, with further attempts until one works or the time is up: the parts of a deployment start in any order. Logs
 * once why it waits, and again when the reason changes. Throws `OperatorError`.
 */
export async function connectPatiently<Connected>(options: PatientConnection<Connected>): Promise<Connected> {
  const { what, connect, timeoutMs, log } = options;
  const until = performance.now() + timeoutMs;
  let said = "";
  for (let rest: number = restMs.first; ; rest = Math.min(rest * 2, restMs.longest)) {
    try {
      return await connect();
    } catch (cause) {
      const reason = oneLine(cause);
      if (performance.now() + rest >= until) {
        const waited = timeoutMs === 0 ? "" : ` within ${Math.round(timeoutMs / 1_000)} s`;
        throw new OperatorError(`${what}: no connection${waited}: ${reason}; check ${options.variable}`, {
          cause,
        });
      }
      if (reason !== said) log.info({ reason }, `waiting for ${what}`);
      said = reason;
    }
    await delay(rest);
  }
}

function oneLine(thrown: unknown): string {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return message.replaceAll(/\s+/g, " ").slice(0, 300);
}

/** The address in a URI, without the user, the password and the options. */
export function uriLabel(uri: string): string {
  // Several hosts between commas make no URL.
  const match = /^([a-z+]+):\/\/(?:.*@)?([^/?@]*)/i.exec(uri);
  return match === null ? "?" : `${match[2]}`;
}
