import fc from "fast-check";
import { expect, test } from "vitest";
import {
  judgeAttempt,
  nextAttemptAt,
  parseRetryAfter,
  retryDelayMs,
  retryLimits,
} from "../src/retry-policy.ts";

const { firstDelayMs, longestDelayMs, giveUpAfterMs } = retryLimits;
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

test.each([
  [null, "retry"],
  [200, "delivered"],
  [204, "delivered"],
  [299, "delivered"],
  [301, "retry"],
  [308, "retry"],
  [400, "retry"],
  [401, "retry"],
  [404, "retry"],
  [408, "retry"],
  [409, "retry"],
  [410, "gone"],
  [413, "retry"],
  [425, "retry"],
  [429, "retry"],
  [499, "retry"],
  [500, "retry"],
  [503, "retry"],
  [599, "retry"],
] as const)("Status %s means %s", (status, verdict) => {
  expect(judgeAttempt(status)).toBe(verdict);
});

test("A delay lies between 1 s and 2^attempts s, never beyond 6 h", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10_000 }), random, (attempts, share) => {
      const delayMs = retryDelayMs(attempts, share);

      expect(delayMs).toBeGreaterThanOrEqual(firstDelayMs);
      expect(delayMs).toBeLessThanOrEqual(Math.min(longestDelayMs, firstDelayMs * 2 ** attempts));
    }),
  );
});

test("The jitter spreads over the whole range", () => {
  expect(retryDelayMs(4, 0)).toBe(1_000);
  expect(retryDelayMs(4, 0.5)).toBe(8_500);
  expect(retryDelayMs(4, 1 - Number.EPSILON)).toBe(16_000);
  expect(retryDelayMs(60, 1 - Number.EPSILON)).toBe(longestDelayMs);
});

test("A row that always fails gets its last attempt exactly at the end of 72 h", () => {
  fc.assert(
    fc.property(fc.infiniteStream(random), fc.nat(1_000_000), (shares, queuedAt) => {
      const attempts: number[] = [];
      for (let at: number | null = queuedAt; at !== null; ) {
        attempts.push(at);
        const row = { queuedAt, attempts: attempts.length - 1 };
        at = nextAttemptAt(
          row,
          { status: 500, retryAfterMs: null, durationMs: 0 },
          at,
          shares.next().value as number,
        );
      }

      const gaps = attempts.slice(1).map((at, index) => at - (attempts[index] as number));
      expect(attempts.at(-1)).toBe(queuedAt + giveUpAfterMs);
      // The last gap is cut by the deadline; all others are at least the first delay.
      expect(gaps.slice(0, -1).every((gap) => gap >= firstDelayMs && gap <= longestDelayMs)).toBe(true);
      expect(attempts.length).toBeGreaterThan(giveUpAfterMs / longestDelayMs);
    }),
  );
});

test("No attempt comes before what Retry-After asked for, up to 6 h", () => {
  const row = { queuedAt: 0, attempts: 0 };

  expect(nextAttemptAt(row, { status: 503, retryAfterMs: 90_000, durationMs: 0 }, 1_000, 0)).toBe(91_000);
  expect(nextAttemptAt(row, { status: 503, retryAfterMs: 100, durationMs: 0 }, 1_000, 0)).toBe(2_000);
  expect(
    nextAttemptAt(row, { status: 503, retryAfterMs: 10 * longestDelayMs, durationMs: 0 }, 1_000, 0),
  ).toBe(1_000 + longestDelayMs);
  expect(
    nextAttemptAt(row, { status: 503, retryAfterMs: 90_000, durationMs: 0 }, giveUpAfterMs - 10, 0),
  ).toBe(giveUpAfterMs);
  expect(nextAttemptAt(row, { status: 503, retryAfterMs: null, durationMs: 0 }, giveUpAfterMs, 0)).toBeNull();
});

test("A row whose request hung rests at least twice as long as that took", () => {
  const row = { queuedAt: 0, attempts: 0 };
  const hung = { status: null, retryAfterMs: null, durationMs: 30_000 };

  expect(nextAttemptAt(row, hung, 50_000, 0)).toBe(110_000);
});

test("Retry-After is read as seconds or as an HTTP date, and as nothing otherwise", () => {
  const now = Date.parse("Fri, 21 Nov 2025 10:00:00 GMT");

  expect(parseRetryAfter("120", now)).toBe(120_000);
  expect(parseRetryAfter(" 0 ", now)).toBe(0);
  expect(parseRetryAfter("Fri, 21 Nov 2025 10:01:00 GMT", now)).toBe(60_000);
  expect(parseRetryAfter("Fri, 21 Nov 2025 09:00:00 GMT", now)).toBe(0);
  for (const nothing of [undefined, "", "-5", "1.5", "soon", "99999999999999", "Mon"]) {
    expect(parseRetryAfter(nothing, now)).toBeNull();
  }
});

test("A refused row is given up 6 h after it was queued, so that it does not hold back its conversation for days", () => {
  const { refusedGiveUpAfterMs } = retryLimits;
  const row = { queuedAt: 0, attempts: 30 };

  for (const status of [400, 401, 403, 404, 421]) {
    const answer = { status, retryAfterMs: null, durationMs: 0 };
    expect(nextAttemptAt(row, answer, refusedGiveUpAfterMs - 2_000, 0.9)).toBe(refusedGiveUpAfterMs);
    expect(nextAttemptAt(row, answer, refusedGiveUpAfterMs, 0)).toBeNull();
  }
  expect(
    nextAttemptAt(row, { status: 429, retryAfterMs: null, durationMs: 0 }, refusedGiveUpAfterMs, 0),
  ).not.toBeNull();
});
