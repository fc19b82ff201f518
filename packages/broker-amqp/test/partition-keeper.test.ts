import { describe, expect, it } from "vitest";
import { leaseTimes, PartitionKeeper } from "../src/partition-keeper.ts";
import { createManualTimers, type ManualTimers } from "./manual-timers.ts";
import { MemoryLeases } from "./memory-leases.ts";

const numbers = (count: number) => Array.from({ length: count }, (_, n) => n);

/** Notes who consumes what, and when. */
class Consumption {
  readonly events: string[] = [];
  readonly lost = new Map<string, () => void>();
  readonly held = new Map<string, () => boolean>();
  stopping: (() => Promise<void>) | undefined;
  takeOverFailure: Error | undefined;
}

function keeperOf(
  holder: string,
  leases: MemoryLeases,
  timers: ManualTimers,
  seen: Consumption,
  partitions = 4,
) {
  return new PartitionKeeper({
    ...{ holder, partitions, leases, timers },
    log: { debug() {}, info() {}, warn() {}, error() {} },
    metrics: { count() {}, observe() {} },
    async takeOver() {
      if (seen.takeOverFailure !== undefined) throw seen.takeOverFailure;
      seen.events.push(`${holder} takes over`);
    },
    async open(partition, isHeld, onLost) {
      seen.events.push(`${holder} opens ${partition}`);
      seen.lost.set(`${holder} ${partition}`, onLost);
      seen.held.set(`${holder} ${partition}`, isHeld);
      return {
        async stop() {
          await seen.stopping?.();
          seen.events.push(`${holder} stops ${partition}`);
        },
        abandon: () => void seen.events.push(`${holder} abandons ${partition}`),
      };
    },
  });
}

function setUp() {
  const timers = createManualTimers();
  return { timers, leases: new MemoryLeases(timers.now), seen: new Consumption() };
}

describe("the keeper of partitions", () => {
  it("takes all of them alone, and asks for what was left before it consumes", async () => {
    const { timers, leases, seen } = setUp();
    const keeper = keeperOf("a", leases, timers, seen);

    keeper.resume();
    await timers.advance(1);

    expect(keeper.consumed).toEqual([0, 1, 2, 3]);
    expect(seen.events).toEqual(["a takes over", ...numbers(4).map((n) => `a opens ${n}`)]);
  });

  it("keeps what it has, for as long as it renews in time", async () => {
    const { timers, leases, seen } = setUp();
    const keeper = keeperOf("a", leases, timers, seen);
    keeper.resume();

    await timers.advance(60_000);

    expect(seen.events).toHaveLength(5);
    expect(seen.held.get("a 0")?.()).toBe(true);
  });

  it("finishes what it has to give up before another one opens it", async () => {
    const { timers, leases, seen } = setUp();
    const first = keeperOf("a", leases, timers, seen);
    first.resume();
    await timers.advance(100);
    let finish = () => {};
    const finished = new Promise<void>((resolve) => {
      finish = resolve;
    });
    seen.stopping = () => finished;
    const second = keeperOf("b", leases, timers, seen);
    second.resume();

    await timers.advance(10_000);
    expect(seen.events.filter((event) => event.startsWith("b"))).toEqual([]);
    expect(first.consumed).toEqual([0, 1]);
    finish();
    await timers.advance(1_000);

    expect(seen.events.slice(5)).toEqual([
      "a stops 2",
      "a stops 3",
      "b takes over",
      "b opens 2",
      "b opens 3",
    ]);
    expect(second.consumed).toEqual([2, 3]);
  });

  it("drops everything the moment its leases run out by its own clock, while the store does not answer", async () => {
    const { timers, leases, seen } = setUp();
    const keeper = keeperOf("a", leases, timers, seen);
    keeper.resume();
    await timers.advance(100);

    leases.failure = new Error("away");
    await timers.advance(leaseTimes.ttlMs - 101);
    expect(keeper.consumed).toHaveLength(4);
    expect(seen.held.get("a 3")?.()).toBe(true);
    await timers.advance(101);

    expect(keeper.consumed).toEqual([]);
    expect(seen.held.get("a 3")?.()).toBe(false);
    expect(seen.events.slice(5)).toEqual(numbers(4).map((n) => `a abandons ${n}`));
    leases.failure = undefined;
    await timers.advance(leaseTimes.tickMs);
    expect(keeper.consumed).toEqual([0, 1, 2, 3]);
    expect(seen.events.filter((event) => event === "a takes over")).toHaveLength(2);
  });

  it("takes over what a silent process had, right after its leases have run out", async () => {
    const { timers, leases, seen } = setUp();
    const silent = keeperOf("a", leases, timers, seen);
    silent.resume();
    await timers.advance(100);
    const heir = keeperOf("b", leases, timers, seen);
    silent.abandon();
    const diedAt = timers.now();
    heir.resume();

    while (heir.consumed.length < 4) await timers.advance(10);

    expect(timers.now() - diedAt).toBeLessThanOrEqual(leaseTimes.ttlMs + 50);
  });

  it("does not believe an answer that comes after its lease had run out", async () => {
    const { timers, leases, seen } = setUp();
    const keeper = keeperOf("a", leases, timers, seen, 1);
    keeper.resume();
    await timers.advance(1);
    const acquire = leases.acquire.bind(leases);
    leases.acquire = async (...args) => {
      const answer = await acquire(...args);
      await new Promise<void>((resolve) => void timers.after(2 * leaseTimes.ttlMs, resolve));
      return answer;
    };

    await timers.advance(leaseTimes.tickMs + 2 * leaseTimes.ttlMs);

    expect(seen.events).toContain("a abandons 0");
    expect(seen.held.get("a 0")?.()).toBe(false);
  });

  it("gives everything back when the broker is away, and claims again when it is there", async () => {
    const { timers, leases, seen } = setUp();
    const keeper = keeperOf("a", leases, timers, seen);
    keeper.resume();
    await timers.advance(100);

    await keeper.suspend();
    expect(await leases.list("")).toEqual([]);
    await timers.advance(60_000);
    expect(keeper.consumed).toEqual([]);
    void keeper.suspend();
    keeper.resume();
    await timers.advance(100);

    expect(keeper.consumed).toEqual([0, 1, 2, 3]);
    expect((await leases.list("partition/")).map(({ holder }) => holder)).toEqual(["a", "a", "a", "a"]);
  });

  it("opens again what was lost, and what could not be taken over, with the next tick", async () => {
    const { timers, leases, seen } = setUp();
    seen.takeOverFailure = new Error("the store is slow");
    const keeper = keeperOf("a", leases, timers, seen, 1);
    keeper.resume();
    await timers.advance(100);
    expect(keeper.consumed).toEqual([]);
    seen.takeOverFailure = undefined;
    await timers.advance(leaseTimes.tickMs);
    expect(keeper.consumed).toEqual([0]);

    seen.lost.get("a 0")?.();
    expect(keeper.consumed).toEqual([]);
    await timers.advance(leaseTimes.tickMs);

    expect(keeper.consumed).toEqual([0]);
    expect(seen.events).toEqual(["a takes over", "a opens 0", "a takes over", "a opens 0"]);
  });

  it("keeps renewing while it closes, and leaves no lease behind", async () => {
    const { timers, leases, seen } = setUp();
    const keeper = keeperOf("a", leases, timers, seen);
    keeper.resume();
    await timers.advance(100);
    seen.stopping = () => new Promise((resolve) => void timers.after(10_000, resolve));

    const closing = keeper.close();
    await timers.advance(9_000);
    expect((await leases.list("")).map(({ name }) => name)).toEqual(numbers(4).map((n) => `partition/${n}`));
    expect(seen.held.get("a 0")?.()).toBe(true);
    await timers.advance(2_000);
    await closing;

    expect(await leases.list("")).toEqual([]);
    expect(seen.events.slice(5)).toEqual(numbers(4).map((n) => `a stops ${n}`));
  });
});
