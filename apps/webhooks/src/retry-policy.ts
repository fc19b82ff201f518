import type { StoredWebhookDelivery } from "@chat21/events";

const secondMs = 1_000;
const hourMs = 60 * 60 * secondMs;

/** Limits of attempts. */
export const retryLimits = {
  /** Shortest wait between two attempts. */
  firstDelayMs: secondMs,
  /** Longest wait between two attempts. */
  longestDelayMs: 6 * hourMs,
  /** From when a row was queued to its last attempt. */
  giveUpAfterMs: 72 * hourMs,
  /**
   * Rows that waited behind others until their time was over still get one attempt. A row is given up without one only
   * when it is so much beyond its time and its endpoint had no success for as long.
   */
  graceMs: hourMs,
} as const;

/** The result of one request. */
export interface AttemptResult {
  /** HTTP status; `null` when there was no answer. */
  readonly status: number | null;
  /** The reason of the failure, in one line; `null` for a success. */
  readonly error: string | null;
  /** The wait that `Retry-After` asked for. */
  readonly retryAfterMs: number | null;
  readonly durationMs: number;
}

/** The consequence of an attempt. `gone`: the endpoint said that it wants no more requests. */
export type Verdict = "delivered" | "retry" | "dead" | "gone";

const retryable = new Set([408, 409, 425, 429]);

/**
 * 2xx: delivered. No answer, 408, 409, 425, 429, 5xx and 3xx (not followed; it may be a maintenance page): retry.
 * 410: gone. Any other status: dead.
 */
export function judgeAttempt(status: number | null): Verdict {
  if (status === null || retryable.has(status) || status >= 500) return "retry";
  if (status >= 200 && status < 300) return "delivered";
  if (status >= 300 && status < 400) return "retry";
  return status === 410 ? "gone" : "dead";
}

/**
 * How long to wait after `attempts` failed ones: full jitter between 1 s and 2^attempts s, at most 6 h.
 * @param random in [0, 1)
 */
export function retryDelayMs(attempts: number, random: number): number {
  const { firstDelayMs, longestDelayMs } = retryLimits;
  const ceilingMs = Math.min(longestDelayMs, firstDelayMs * 2 ** Math.min(attempts, 30));
  return Math.round(firstDelayMs + random * (ceilingMs - firstDelayMs));
}

/**
 * When to try a row again whose attempt at `now` failed; `null`: not any more. Never before what `Retry-After` asked
 * for (counted up to 6 h). A wait that would pass the end of the allowed time is cut, so that the last attempt lies there.
 */
export function nextAttemptAt(
  row: Pick<StoredWebhookDelivery, "attempts" | "queuedAt">,
  retryAfterMs: number | null,
  now: number,
  random: number,
): number | null {
  const deadline = row.queuedAt + retryLimits.giveUpAfterMs;
  if (now >= deadline) return null;
  const askedMs = Math.min(retryAfterMs ?? 0, retryLimits.longestDelayMs);
  return Math.min(deadline, now + Math.max(askedMs, retryDelayMs(row.attempts + 1, random)));
}

/** Milliseconds that a `Retry-After` header asks for (seconds or an HTTP date); `null` when it says nothing usable. */
export function parseRetryAfter(header: string | undefined, now: number): number | null {
  const text = header?.trim() ?? "";
  if (/^\d{1,9}$/.test(text)) return Number(text) * secondMs;
  // An HTTP date always begins with a weekday; `Date.parse` alone would also read "-5" or "7".
  const at = /^[A-Z][a-z]{2}/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? null : Math.max(0, at - now);
}
