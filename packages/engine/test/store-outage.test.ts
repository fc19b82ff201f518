import { ChatError } from "@chat21/protocol";
import { describe, expect, it } from "vitest";
import { admin, allOf, as, World } from "./world.ts";

/** Lets the store fail at the points that match, until the returned function is called. */
function breakAt(world: World, pattern: RegExp): () => void {
  world.atStore = (point) => {
    if (pattern.test(point)) throw new ChatError("store_unavailable", `down at ${point}`);
  };
  return () => {
    world.atStore = () => {};
  };
}

const anything = /./;
const texts = Array.from({ length: 20 }, (_, index) => `m${index}`);

describe.each([
  ["before it commits", /^events\.commit:before$/],
  ["after it has committed", /^events\.(commit:after|read:read)$/],
  ["altogether", anything],
])("A store that does not answer %s", (_when, pattern) => {
  it("loses nothing, stores nothing twice and keeps the order", async () => {
    const world = await World.start();
    const [ann, bob] = await world.people("ann", "bob");
    const repair = breakAt(world, pattern);

    const sending = texts.map((text) => ann.send("bob", { text }));
    await world.pass(10_000);
    expect(bob.messages()).toEqual([]);
    repair();
    await world.pass(5_000);
    await Promise.all(sending);

    expect(bob.messages().map(({ text, seq }) => [text, seq])).toEqual(
      texts.map((text, index) => [text, index + 1]),
    );
    expect(await world.textsOf("bob", "ann")).toEqual(texts);
    expect(world.factsOf("message").map(({ event }) => event.seq)).toEqual(
      texts.map((_, index) => index + 1),
    );
  });

  it("pauses the edge once and lets it go on once, and says so of its health", async () => {
    const world = await World.start();
    const [ann] = await world.people("ann");
    const repair = breakAt(world, pattern);

    const sending = ann.send("bob", { text: "x" });
    await world.pass(10_000);
    expect(world.engine.health()).toEqual({ ready: false, reason: "store_unavailable" });
    expect(world.edge.isPaused).toBe(true);
    repair();
    await world.pass(5_000);
    await sending;

    expect(world.engine.health()).toEqual({ ready: true, reason: "ok" });
    expect(world.edge.pauses).toEqual([true, false]);
    expect(world.count("store_errors:transient")).toBeGreaterThan(1);
  });

  it("does not lose who was sent to meanwhile: what is sent in the pause comes after it", async () => {
    const world = await World.start();
    const [ann, bob] = await world.people("ann", "bob");
    const repair = breakAt(world, pattern);

    const before = ann.send("bob", { text: "before" });
    await world.pass(500);
    const during = ann.send("bob", { text: "during" });
    await world.pass(5_000);
    repair();
    await world.pass(5_000);
    await Promise.all([before, during]);

    expect(bob.texts()).toEqual(["before", "during"]);
  });

  it("keeps idempotency keys and groups as they were meant", async () => {
    const world = await World.start();
    await world.createGroup("group-1", "ann", "bob");
    const repair = breakAt(world, pattern);

    const work = Promise.all([
      world.send("ann", "bob", { text: "once", client_message_id: "key-1" }),
      world.send("ann", "bob", { text: "once", client_message_id: "key-1" }),
      world.engine.groups.addMember(as("ann"), "group-1", "cid"),
      world.send("bob", "group-1", { text: "who is it?" }),
    ]);
    await world.pass(10_000);
    repair();
    await world.pass(10_000);
    const [first, second] = await work;

    expect(second).toEqual({ ...first, repeated: true });
    expect(await world.textsOf("bob", "ann")).toEqual(["once"]);
    expect((await world.textsOf("cid", "group-1")).slice(-2).sort()).toEqual([
      "cid added to group",
      "who is it?",
    ]);
    expect(world.log("group-1").map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });
});

describe("A store that comes and goes", () => {
  it("is asked again after a growing time, at most every two seconds", async () => {
    const world = await World.start();
    const asked: number[] = [];
    world.atStore = (point) => {
      if (!point.startsWith("conversations.load")) return;
      asked.push(world.clock.now());
      throw new ChatError("store_unavailable");
    };

    const sending = world.send("ann", "bob", { text: "x" });
    await world.pass(15_000);
    const waits = asked.slice(1).map((at, index) => at - (asked[index] ?? 0));
    world.atStore = () => {};
    await world.pass(2_000);
    await sending;

    expect(waits.slice(0, 7)).toEqual([100, 200, 400, 800, 1_600, 2_000, 2_000]);
    expect(Math.max(...waits)).toBe(2_000);
  });

  it("is asked quickly again at its next failure", async () => {
    const world = await World.start();
    let repair = breakAt(world, /commit:before/);
    const first = world.send("ann", "bob", { text: "1" });
    await world.pass(10_000);
    repair();
    await world.pass(2_000);
    await first;

    repair = breakAt(world, /commit:before/);
    const second = world.send("ann", "bob", { text: "2" });
    await world.rest();
    repair();
    await world.pass(100);

    await expect(second).resolves.toMatchObject({ seq: 2 });
  });

  it("in the middle of a batch stores every conversation's part once", async () => {
    const world = await World.start();
    let commits = 0;
    world.atStore = (point) => {
      if (point === "events.commit:before" && ++commits === 3) throw new ChatError("store_unavailable");
    };

    const sending = ["a", "b", "c", "d", "e"].map((user) => world.send("ann", user, { text: "x" }));
    await world.pass(1_000);
    await Promise.all(sending);

    for (const user of ["a", "b", "c", "d", "e"]) expect(await world.textsOf(user, "ann")).toEqual(["x"]);
  });

  it("stores a very large change once, though its outcome was not known", async () => {
    const world = await World.start();
    await world.createGroup("group-1", "ann");
    const members = Array.from({ length: 1_100 }, (_, index) => `u${index}`);
    let failed = false;
    world.atStore = (point) => {
      if (point !== "events.commit:after" || failed) return;
      failed = true;
      throw new ChatError("store_unavailable");
    };

    const setting = world.engine.groups.setMembers(as("ann"), "group-1", ["ann", ...members]);
    await world.pass(1_000);
    await setting;

    expect(world.log("group-1").filter(({ type }) => type === "member_added")).toHaveLength(1_100);
    expect(world.log("group-1").filter(({ type }) => type === "group_updated")).toHaveLength(1);
  });

  it("for longer than the sweep waits is dispatched once all the same", async () => {
    const world = await World.start();
    const [ann, bob] = await world.people("ann", "bob");
    // Committed, but nobody knows; reading works again before the writer asks.
    let failures = 0;
    world.atStore = (point) => {
      if (point === "events.commit:after" && failures++ === 0) throw new ChatError("store_unavailable");
      if (point === "events.read:read" && failures++ < 8) throw new ChatError("store_unavailable");
    };

    const sending = ann.send("bob", { text: "x" });
    await world.pass(20_000);
    await sending;

    expect(bob.texts()).toEqual(["x"]);
    expect(ann.texts()).toEqual(["x"]);
    expect(world.factsOf("message")).toHaveLength(1);
  });
});

describe("While the store is down", () => {
  it("what only reads is refused, and can be tried again", async () => {
    const world = await World.start();
    await world.send("ann", "bob", { text: "x" });
    const repair = breakAt(world, anything);

    const reads = [
      allOf(world.engine.messages.list(as("bob"), "bob", "ann", {})),
      allOf(world.engine.conversations.list(as("bob"), "bob", false, {})),
      world.engine.sync.sync(as("bob"), {}),
      world.engine.conversations.moveWatermarks(as("bob"), "bob", { conversWith: "ann", read: 1 }),
      world.engine.conversations.clear(admin, "ann"),
    ];

    for (const read of reads) {
      await expect(read).rejects.toMatchObject({ code: "store_unavailable", retryable: true });
    }
    repair();
    expect(await world.textsOf("bob", "ann")).toEqual(["x"]);
  });

  it("a receipt is answered with the error, because nobody will repeat it here", async () => {
    const world = await World.start();
    await world.send("ann", "bob", { text: "x" });
    const [bob] = await world.people("bob");
    breakAt(world, anything);

    await bob.receive("ann", "T-1");

    expect(bob.answers).toMatchObject([{ code: "store_unavailable" }]);
  });

  it("a connection that ends leaves a lease that runs out by itself", async () => {
    const world = await World.start();
    const [ann] = await world.people("ann");
    await ann.announce({ connected: true });
    const repair = breakAt(world, anything);

    ann.client.close();
    await world.pass(1_000);
    repair();
    await world.pass(250_000);

    expect(await world.engine.presence.get(admin, ["ann"])).toMatchObject([{ online: false }]);
    expect(world.factsOf("presence").map(({ presence }) => presence)).toEqual(["online", "offline"]);
  });
});
