import { describe, expect, test } from "vitest";
import { formatClock, formatDay, formatLastSeen, formatListTime } from "../src/ui/format-time.ts";

const now = new Date(2026, 2, 5, 15, 30).getTime();
const at = (...parts: [number, number, number, number, number]) => new Date(...parts).getTime();

describe("times", () => {
  test("in a list get coarser the longer ago they are", () => {
    expect(formatListTime(now - 20_000, now)).toBe("now");
    expect(formatListTime(now + 20_000, now)).toBe("now");
    expect(formatListTime(now - 5 * 60_000, now)).toBe("5 min");
    expect(formatListTime(at(2026, 2, 5, 9, 5), now)).toBe(formatClock(at(2026, 2, 5, 9, 5)));
    expect(formatListTime(at(2026, 2, 4, 23, 59), now)).toBe("Yesterday");
    expect(formatListTime(at(2026, 1, 28, 9, 0), now)).toBe("Sat");
    expect(formatListTime(at(2026, 0, 2, 9, 0), now)).toBe("2 Jan");
    expect(formatListTime(at(2025, 11, 31, 9, 0), now)).toBe("31 Dec 2025");
  });

  test("of days are words, then dates, and a year only when it is another one", () => {
    expect(formatDay(at(2026, 2, 5, 0, 0), now)).toBe("Today");
    expect(formatDay(at(2026, 2, 4, 0, 0), now)).toBe("Yesterday");
    expect(formatDay(at(2026, 2, 2, 0, 0), now)).toMatch(/^Monday,? 2 March$/u);
    expect(formatDay(at(2024, 2, 2, 0, 0), now)).toBe("2 March 2024");
  });

  test("of last presence are silent when nothing is known", () => {
    expect(formatLastSeen(0, now)).toBe("");
    expect(formatLastSeen(now - 30_000, now)).toBe("last seen just now");
    expect(formatLastSeen(now - 120_000, now)).toBe("last seen 2 min ago");
    expect(formatLastSeen(at(2026, 2, 4, 8, 0), now)).toMatch(/^last seen yesterday at /u);
    expect(formatLastSeen(at(2026, 0, 2, 8, 0), now)).toBe("last seen 2 Jan");
  });
});
