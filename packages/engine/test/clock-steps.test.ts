import { ChatError } from "@chat21/protocol";
import { createManualClock, createMemoryLeases } from "@chat21/testkit";
import { describe, expect, it } from "vitest";
import { admin, World } from "./world.ts";

const dayMs = 24 * 60 * 60_000;

describe("A clock that was a day ahead and is set back", () => {
  it("leaves nobody online whose process died meanwhile", async () => {
    const before = await World.start();
    await before.send("ann", "bob", { text: "hi" });
    before.clock.step(dayMs);
    const ann = await before.connect("ann");
    await ann.announce({ connected: true });

    const clock = createManualClock(before.clock.now() - dayMs);
    const world = await World.start({ disk: before.disk, clock });
    await world.pass(200_000);

    expect(world.factsOf("presence")).toMatchObject([{ user: "ann", presence: "offline" }]);
    const [seen] = await world.engine.presence.get(admin, ["ann"]);
    expect(seen?.online).toBe(false);
    expect(seen?.lastSeen).toBeLessThanOrEqual(world.clock.now());
  });

  it("keeps the order of a conversation by time, a millisecond a message, and other conversations' times true", async () => {
    const world = await World.start();
    world.clock.step(dayMs);
    await world.send("ann", "bob", { text: "tomorrow" });
    const ahead = world.clock.now();

    world.clock.step(-dayMs);
    await world.send("bob", "ann", { text: "one" });
    await world.send("ann", "bob", { text: "two" });
    await world.send("ann", "cid", { text: "hi" });

    const read = await world.history("ann", "bob");
    expect(read.map(({ text, timestamp }) => [text, timestamp])).toEqual([
      ["tomorrow", ahead],
      ["one", ahead + 1],
      ["two", ahead + 2],
    ]);
    expect((await world.history("ann", "cid"))[0]).toMatchObject({ timestamp: world.clock.now() });
  });

  it("dispatches what a process that died had committed ahead", async () => {
    const neighbours = { leases: createMemoryLeases({ now: () => 0 }), invalidated: [] };
    const refuse = () => {
      throw new ChatError("store_unavailable");
    };
    const before = await World.start({ neighbours, beforeSink: refuse });
    before.clock.step(dayMs);
    void before.send("ann", "bob", { text: "hi" }).catch(() => {});
    await before.rest();
    before.clock.step(-dayMs);
    const freed = { leases: createMemoryLeases({ now: () => 0 }), invalidated: [] };
    const world = await World.start({ disk: before.disk, clock: before.clock, neighbours: freed });

    await world.pass(5_000);

    expect(world.factsOf("message")).toHaveLength(1);
  });
});

describe("A clock that is set back by an hour", () => {
  it("gives no session more time than its token had left", async () => {
    const world = await World.start();
    const now = world.clock.now();
    const before = await world.connect("ann", { expiresAt: now + 10_000 });

    world.clock.step(-60 * 60_000);
    const after = await world.connect("bob", { expiresAt: world.clock.now() + 20_000 });
    await world.clock.advance(11_000);

    expect(before.client.closedBecause).toBe("expired");
    expect(after.client.isOpen).toBe(true);
  });
});
