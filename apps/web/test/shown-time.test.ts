import { afterEach, expect, test } from "vitest";
import { followClock, shownTime } from "../src/ui/use-now.ts";

const now = new Date(2026, 2, 5, 15, 30).getTime();
const hour = 3_600_000;

afterEach(() => followClock(Date.now, false));

test("a message from the future is shown at the server's present", () => {
  followClock(() => now, true);

  expect(shownTime(now + hour)).toBe(now);
  expect(shownTime(now + 30 * 24 * hour)).toBe(now);
});

test("a message of the past, or of this moment, is shown at its own time", () => {
  followClock(() => now, true);

  expect([now - hour, now, now + 20_000].map(shownTime)).toEqual([now - hour, now, now + 20_000]);
});

test("every time is shown as it is while the server's clock is unknown: this device may be a day behind", () => {
  followClock(() => now - 26 * hour, false);

  expect(shownTime(now)).toBe(now);
});
