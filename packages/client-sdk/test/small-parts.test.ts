import fc from "fast-check";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { Emitter, Notifier } from "../src/api/emitter.ts";
import { onHints } from "../src/connection/hints.ts";
import { exponentialBackoff } from "../src/index.ts";
import { newId } from "../src/outbox/new-id.ts";
import { resendBackoff } from "../src/outbox/send-queue.ts";
import { addRange, rangeEnd } from "../src/sync/ranges.ts";
import { ManualClock, settle } from "./support/manual-clock.ts";

describe("backoff", () => {
  test("doubles up to its bound, with full jitter", () => {
    const longest = exponentialBackoff({ random: () => 1 });
    const half = exponentialBackoff({ random: () => 0.5, minMs: 100, maxMs: 300 });

    expect([1, 2, 3, 7, 8, 1_000].map(longest)).toEqual([500, 1_000, 2_000, 30_000, 30_000, 30_000]);
    expect([1, 2, 3].map(half)).toEqual([50, 100, 150]);
    expect(exponentialBackoff({ random: () => 0 })(5)).toBe(0);
  });

  test("of unanswered messages is 5 s, 10 s, 20 s and at most a minute", () => {
    expect([1, 2, 3, 4, 5, 50].map(resendBackoff)).toEqual([5_000, 10_000, 20_000, 40_000, 60_000, 60_000]);
  });
});

describe("ids", () => {
  test("are unique and ascending, also when the clock stands still or goes back", () => {
    const now = Date.now();
    const ids = Array.from({ length: 5_000 }, (_, i) => newId(i % 100 === 0 ? now - i : now));

    expect(new Set(ids).size).toBe(ids.length);
    expect([...ids].sort()).toEqual(ids);
    expect(ids.every((id) => /^[0-9A-HJKMNP-TV-Z]{26}$/.test(id))).toBe(true);
  });
});

describe("ranges", () => {
  test("hold exactly the numbers that were added, and stay ascending and apart", () => {
    const range = fc.tuple(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 30 }));
    fc.assert(
      fc.property(fc.array(range), (added) => {
        let ranges: ReturnType<typeof addRange> = [];
        for (const one of added) ranges = addRange(ranges, one);

        const wanted = (n: number) => added.some(([from, to]) => from <= n && n <= to);
        for (let n = 0; n <= 31; n++) expect(rangeEnd(ranges, n) !== null).toBe(wanted(n));
        ranges.forEach(([from], index) => {
          const before = ranges[index - 1];
          if (before !== undefined) expect(from).toBeGreaterThan(before[1] + 1);
        });
      }),
    );
  });
});

describe("an emitter", () => {
  test("reports what a handler throws, and goes on with the others", () => {
    const thrown: unknown[] = [];
    const emitter = new Emitter<{ tick: number }>((error) => thrown.push(error));
    const heard: number[] = [];
    emitter.on("tick", () => {
      throw new Error("mine");
    });
    const stop = emitter.on("tick", (n) => heard.push(n));

    emitter.emit("tick", 1);
    stop();
    stop();
    emitter.emit("tick", 2);

    expect(heard).toEqual([1]);
    expect(thrown).toHaveLength(2);
  });

  test("calls a function that was registered twice twice", () => {
    const emitter = new Emitter<{ tick: number }>(() => undefined);
    const handler = vi.fn();
    const stop = emitter.on("tick", handler);
    emitter.on("tick", handler);

    emitter.emit("tick", 1);
    stop();
    emitter.emit("tick", 2);

    expect(handler).toHaveBeenCalledTimes(3);
  });

  test("tells of many changes once", async () => {
    const notifier = new Notifier(() => undefined);
    const listener = vi.fn();
    notifier.subscribe(listener);

    notifier.notify();
    notifier.notify();
    await settle();

    expect(listener).toHaveBeenCalledTimes(1);
  });
});

describe("hints", () => {
  test("come when the network or the page comes or goes, until they are stopped", () => {
    const window = new EventTarget();
    const document = Object.assign(new EventTarget(), { visibilityState: "hidden" });
    vi.stubGlobal("window", window);
    vi.stubGlobal("document", document);
    onTestFinished(() => void vi.unstubAllGlobals());
    const clock = new ManualClock();
    const hints: string[] = [];

    const stop = onHints(clock, {
      handleBack: () => hints.push("back"),
      handleOffline: () => hints.push("offline"),
      handleHidden: () => hints.push("hidden"),
    });
    document.dispatchEvent(new Event("visibilitychange"));
    document.visibilityState = "visible";
    document.dispatchEvent(new Event("visibilitychange"));
    for (const type of ["offline", "online", "pagehide", "pageshow"]) window.dispatchEvent(new Event(type));
    stop();
    for (const type of ["offline", "online", "pagehide", "pageshow"]) window.dispatchEvent(new Event(type));

    expect(hints).toEqual(["hidden", "back", "offline", "back", "hidden", "back"]);
    expect(clock.pending).toBe(0);
  });

  test("come after sleep, also where there is no browser", async () => {
    const clock = new ManualClock();
    const hints: string[] = [];
    const stop = onHints(clock, {
      handleBack: () => hints.push("back"),
      handleOffline: () => hints.push("offline"),
      handleHidden: () => hints.push("hidden"),
    });
    await clock.advance(60_000);
    expect(hints).toEqual([]);

    clock.sleep(60_000);
    await clock.advance(0);
    stop();

    expect(hints).toEqual(["back"]);
    expect(clock.pending).toBe(0);
  });
});
