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
   * The same when the last answer was a refusal (4xx): a deployment or a wrong setting passes within it, and an event
   * that is refused for good does not hold back its conversation for longer.
   */
  refusedGiveUpAfterMs: 6 * hourMs,
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
  /** Whether there was a connection: the request may have arrived. */
  readonly connected: boolean;
  /** The reason of the failure, in one line; `null` for a success. */
  readonly error: string | null;
  /** The wait that `Retry-After` asked for. */
  readonly retryAfterMs: number | null;
  readonly durationMs: number;
}

/** The consequence of an attempt. `gone`: the endpoint said that it wants no more requests. */
export type Verdict = "delivered" | "retry" | "gone";

/** 4xx that are no refusals of the request itself. */
const temporary = new Set([408, 409, 425, 429]);

/** Statuses of an endpoint that works for nobody at the moment, also those of a proxy before it. */
const unavailable = new Set([429, 502, 503, 504]);

/**
 * 2xx: delivered. 410: gone. All else: retry, also 3xx (not followed; it may be a maintenance page) and the refusals
 * that an endpoint gives during a deployment (400, 401, 403, 404, 421).
 */
export function judgeAttempt(status: number | null): Verdict {
  if (status !== null && status >= 200 && status < 300) return "delivered";
  return status === 410 ? "gone" : "retry";
}

/** Whether a failure says that the endpoint works for no conversation; otherwise it may be due to the row's own. */
export function isUnavailable({ status, connected }: Pick<AttemptResult, "status" | "connected">): boolean {
  return status === null ? !connected : unavailable.has(status);
}

function isRefusal(status: number | null): boolean {
  return status !== null && status >= 400 && status < 500 && !temporary.has(status);
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
 * for (counted up to 6 h), nor before the row has rested for twice the time of its request. A wait that would pass the end of the allowed time is cut, so that the last attempt lies there.
 */
export function nextAttemptAt(
  row: Pick<StoredWebhookDelivery, "attempts" | "queuedAt">,
  { status, retryAfterMs, durationMs }: Pick<AttemptResult, "durationMs" | "retryAfterMs" | "status">,
  now: number,
  random: number,
): number | null {
  const { giveUpAfterMs, refusedGiveUpAfterMs } = retryLimits;
  const deadline = row.queuedAt + (isRefusal(status) ? refusedGiveUpAfterMs : giveUpAfterMs);
  if (now >= deadline) return null;
  const askedMs = Math.min(retryAfterMs ?? 0, retryLimits.longestDelayMs);
  return Math.min(deadline, now + Math.max(askedMs, 2 * durationMs, retryDelayMs(row.attempts + 1, random)));
}

/** Milliseconds that a `Retry-After` header asks for (seconds or an HTTP date); `null` when it says nothing usable. */
export function parseRetryAfter(header: string | undefined, now: number): number | null {
  const text = header?.trim() ?? "";
  if (/^\d{1,9}$/.test(text)) return Number(text) * secondMs;
  // An HTTP date always begins with a weekday; `Date.parse` alone would also read "-5" or "7".
  const at = /^[A-Z][a-z]{2}/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? null : Math.max(0, at - now);
}
