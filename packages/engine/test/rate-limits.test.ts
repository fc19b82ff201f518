import { describe, expect, it } from "vitest";
import { admin, as, World } from "./world.ts";

const messageRate = { capacity: 3, refillPerMinute: 60 };

describe("A sender over its rate", () => {
  it("is told, and when to come again; what it sent before is there", async () => {
    const world = await World.start({ messageRate });
    const [ann, bob] = await world.people("ann", "bob");

    for (const text of ["1", "2", "3", "4", "5"])
      await ann.send("bob", { text, client_message_id: `key-${text}` });

    expect(bob.texts()).toEqual(["1", "2", "3"]);
    expect(ann.answers).toMatchObject([
      { code: "rate_limited", retry_after_ms: 1_000, client_message_id: "key-4" },
      { code: "rate_limited", retry_after_ms: 1_000, client_message_id: "key-5" },
    ]);
    expect(world.count("refused:rate_limited")).toBe(2);
  });

  it("may send again after that time, and not a moment before", async () => {
    const world = await World.start({ messageRate });
    for (const text of ["1", "2", "3"]) await world.send("ann", "bob", { text });

    await world.clock.advance(999);
    await expect(world.send("ann", "bob", { text: "early" })).rejects.toMatchObject({ code: "rate_limited" });
    await world.clock.advance(1);
    await world.send("ann", "bob", { text: "in time" });

    expect((await world.textsOf("bob", "ann")).at(-1)).toBe("in time");
  });

  it("may send again after that time when the clock is set back by an hour meanwhile, or a day ahead", async () => {
    const world = await World.start({ messageRate });
    for (const text of ["1", "2", "3"]) await world.send("ann", "bob", { text });

    world.clock.step(-3_600_000);
    await expect(world.send("ann", "bob", { text: "early" })).rejects.toMatchObject({ retryAfterMs: 1_000 });
    await world.clock.advance(1_000);
    await world.send("ann", "bob", { text: "in time" });
    world.clock.step(24 * 3_600_000);

    await expect(world.send("ann", "bob", { text: "gained" })).rejects.toMatchObject({
      code: "rate_limited",
    });
    expect((await world.textsOf("bob", "ann")).at(-1)).toBe("in time");
  });

  it("pays nothing for what is refused", async () => {
    const world = await World.start({ messageRate });
    for (const text of ["1", "2", "3"]) await world.send("ann", "bob", { text });

    for (let attempt = 0; attempt < 50; attempt++)
      await world.send("ann", "bob", { text: "x" }).catch(() => {});
    await world.clock.advance(1_000);

    await expect(world.send("ann", "bob", { text: "4" })).resolves.toMatchObject({ seq: 4 });
  });

  it("gains nothing by trying often", async () => {
    const world = await World.start({ messageRate });
    let stored = 0;

    for (let attempt = 0; attempt < 100; attempt++) {
      stored += await world.send("ann", "bob", { text: "x" }).then(
        () => 1,
        () => 0,
      );
      await world.clock.advance(100);
    }

    expect(stored).toBeGreaterThanOrEqual(3 + 9);
    expect(stored).toBeLessThanOrEqual(3 + 10);
  });

  it("cannot get round it by sending everything at once", async () => {
    const world = await World.start({ messageRate });

    const outcomes = await Promise.allSettled(
      Array.from({ length: 60 }, (_, index) => world.send("ann", `user-${index}`, { text: "x" })),
    );

    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(3);
  });

  it("saves up to the capacity, however long it is silent", async () => {
    const world = await World.start({ messageRate });
    await world.send("ann", "bob", { text: "first" });
    await world.clock.advance(3_600_000);

    const outcomes = await Promise.allSettled(
      Array.from({ length: 10 }, () => world.send("ann", "bob", { text: "x" })),
    );

    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(3);
  });

  it("hinders nobody else, and not its namesake in another app", async () => {
    const world = await World.start({ messageRate });
    for (const text of ["1", "2", "3"]) await world.send("ann", "bob", { text });

    await world.send("bob", "ann", { text: "x" });
    await world.engine.messages.send(
      { app: "other", user: "ann", admin: false },
      { recipient: "bob", body: "{}" },
    );

    await expect(world.send("ann", "bob", { text: "4" })).rejects.toMatchObject({ code: "rate_limited" });
  });
});

describe("No rate", () => {
  it("is there for `system` and for admins", async () => {
    const world = await World.start({ messageRate });

    for (let count = 0; count < 10; count++) {
      await world.engine.messages.send(admin, { recipient: "bob", sender: "system", body: "{}" });
      await world.engine.messages.send(admin, { recipient: "bob", body: "{}" });
    }

    expect(world.log("bob.system")).toHaveLength(10);
  });

  it("is there for info messages of a group", async () => {
    const world = await World.start({ messageRate });

    await world.createGroup("group-1", "ann", "b", "c", "d", "e", "f");
    await world.engine.groups.addMember(as("ann"), "group-1", "g");

    expect(world.log("group-1").filter(({ sender }) => sender === "system")).toHaveLength(8);
  });

  it("is there when the limits are off", async () => {
    const world = await World.start({ rateLimits: false });

    await Promise.all(Array.from({ length: 500 }, () => world.send("ann", "bob", { text: "x" })));

    expect(world.log("ann.bob")).toHaveLength(500);
  });
});
