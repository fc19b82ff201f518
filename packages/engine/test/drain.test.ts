import { describe, expect, it } from "vitest";
import { as, World } from "./world.ts";

describe("Draining", () => {
  it("finishes what was accepted, then resolves", async () => {
    const world = await World.start();
    const [ann, bob] = await world.people("ann", "bob");
    const texts = Array.from({ length: 50 }, (_, index) => `m${index}`);
    const sending = texts.map((text) => ann.send("bob", { text }));

    await world.engine.drain();

    expect(bob.texts()).toEqual(texts);
    expect(world.factsOf("message")).toHaveLength(50);
    await expect(Promise.all(sending)).resolves.toHaveLength(50);
  });

  it("waits for a sink that is slow", async () => {
    const world = await World.start();
    const gate = Promise.withResolvers<void>();
    world.beforeSink = () => gate.promise;
    const sending = world.send("ann", "bob", { text: "x" });
    let drained = false;

    const draining = world.engine.drain().then(() => {
      drained = true;
    });
    await world.rest();
    expect(drained).toBe(false);
    gate.resolve();
    await draining;

    await expect(sending).resolves.toMatchObject({ seq: 1 });
    expect(world.facts).toHaveLength(1);
  });

  it("refuses what comes afterwards: a publish is not acknowledged, and the connection is closed", async () => {
    const world = await World.start();
    const [ann] = await world.people("ann");
    await world.engine.drain();

    await expect(ann.send("bob", { text: "late" })).rejects.toMatchObject({ code: "shutting_down" });
    await expect(world.send("ann", "bob", { text: "late" })).rejects.toMatchObject({ code: "shutting_down" });
    await expect(world.engine.groups.create(as("ann"), { name: "T", members: [] })).rejects.toMatchObject({
      code: "shutting_down",
    });
    await expect(world.engine.conversations.archive(as("ann"), "ann", "bob")).rejects.toMatchObject({
      code: "shutting_down",
    });

    expect(ann.client.closedBecause).toBe("shutting_down");
    expect(ann.answers).toEqual([]);
    expect(world.disk.conversations.size).toBe(0);
  });

  it("lets nobody in", async () => {
    const world = await World.start();
    await world.engine.drain();

    await expect(world.connect("ann")).rejects.toMatchObject({ code: "shutting_down" });
  });

  it("turns readiness off at once", async () => {
    const world = await World.start();
    expect(world.engine.health()).toEqual({ ready: true, reason: "ok" });

    const draining = world.engine.drain();

    expect(world.engine.health()).toEqual({ ready: false, reason: "shutting_down" });
    await draining;
  });

  it("stops the sweeps", async () => {
    const world = await World.start();
    expect(world.clock.nextTimerAt()).not.toBeNull();

    await world.engine.drain();

    expect(world.clock.nextTimerAt()).toBeNull();
  });

  it("tells of nobody whose connection closes: the lease waits for the next process", async () => {
    const world = await World.start();
    const [ann, bob] = await world.people("ann", "bob");
    await ann.announce({ connected: true });
    await bob.announce({ connected: true });

    ann.client.close();
    await world.engine.drain();
    bob.client.close();
    await world.pass(10_000);

    expect(world.factsOf("presence").map(({ presence }) => presence)).toEqual(["online", "online"]);
    expect(world.disk.leases.size).toBe(2);
  });

  it("may be asked for twice", async () => {
    const world = await World.start();
    await world.send("ann", "bob", { text: "x" });

    await Promise.all([world.engine.drain(), world.engine.drain()]);
    await world.engine.drain();

    expect(world.log("ann.bob")).toHaveLength(1);
  });

  it("leaves nothing to dispatch for the next process", async () => {
    const world = await World.start();
    await world.send("ann", "bob", { text: "x" });
    await world.engine.drain();
    await world.store.close();

    const next = await World.start({ disk: world.disk });

    expect(world.disk.undispatched.size).toBe(0);
    expect(next.facts).toEqual([]);
  });
});
