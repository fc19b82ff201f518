import { createManualClock, createMemoryDisk } from "@chat21/testkit";
import { describe, expect, it } from "vitest";
import { as, World } from "./world.ts";

/** Two processes on one store. */
async function pair(): Promise<readonly [World, World]> {
  const disk = createMemoryDisk("epoch-1");
  const clock = createManualClock();
  return [await World.start({ disk, clock }), await World.start({ disk, clock })];
}

describe("A message sent again to another process", () => {
  it("is stored once, and answers with the first one's number", async () => {
    const [one, two] = await pair();
    const message = { text: "hi", client_message_id: "key-1" };

    const first = await one.send("ann", "bob", message);
    const second = await two.send("ann", "bob", message);

    expect(second).toEqual({ ...first, repeated: true });
    expect(two.facts).toEqual([]);
  });

  it("at the same moment is stored once, and both answers agree", async () => {
    const [one, two] = await pair();
    const message = { text: "hi", client_message_id: "key-1" };

    const [first, second] = await Promise.all([
      one.send("ann", "bob", message),
      two.send("ann", "bob", message),
    ]);

    expect(one.log("ann.bob")).toHaveLength(1);
    expect([first.repeated, second.repeated].sort()).toEqual([false, true]);
    expect(second.messageId).toBe(first.messageId);
    expect(one.facts.length + two.facts.length).toBe(1);
  });

  it("among others is dropped, and the others keep their order and get the numbers", async () => {
    const [one, two] = await pair();
    await one.send("ann", "bob", { text: "a", client_message_id: "key-1" });

    await Promise.all([
      two.send("ann", "bob", { text: "b" }),
      two.send("ann", "bob", { text: "a", client_message_id: "key-1" }),
      two.send("ann", "bob", { text: "c" }),
    ]);

    expect((await one.history("bob", "ann")).map(({ text, seq }) => [text, seq])).toEqual([
      ["a", 1],
      ["b", 2],
      ["c", 3],
    ]);
  });
});

describe("Two processes that write to one conversation", () => {
  it("agree on its numbers: each learns what the other has written", async () => {
    const [one, two] = await pair();
    await one.send("ann", "bob", { text: "warm" });
    await two.send("bob", "ann", { text: "up" });

    for (let round = 0; round < 5; round++) {
      await one.send("ann", "bob", { text: `a${round}` });
      await two.send("bob", "ann", { text: `b${round}` });
    }

    const log = one.log("ann.bob");
    expect(log.map(({ seq }) => seq)).toEqual(log.map((_, index) => index + 1));
    expect(one.count("conflicts:stale") + two.count("conflicts:stale")).toBeGreaterThan(0);
    const timestamps = log.map(({ timestamp }) => timestamp);
    expect(timestamps).toEqual([...new Set(timestamps)].sort((a, b) => a - b));
  });

  it("authorize anew: who was removed elsewhere cannot write through a process that has not heard of it", async () => {
    const [one, two] = await pair();
    await one.createGroup("group-1", "ann", "bob");
    await two.send("bob", "group-1", { text: "hello" });

    await one.engine.groups.removeMember(as("ann"), "group-1", "bob");

    await expect(two.send("bob", "group-1", { text: "still here?" })).rejects.toMatchObject({
      code: "not_member",
    });
    expect(await one.textsOf("ann", "group-1")).not.toContain("still here?");
  });
});

describe("A reader that is slow", () => {
  it("does not put an old state in the place of one that has moved on", async () => {
    const world = await World.start();
    const slow = Promise.withResolvers<void>();
    let held = false;
    world.atStore = (point) => {
      if (point !== "conversations.load:read" || held) return;
      held = true;
      return slow.promise;
    };

    const reading = world.engine.groups.get(as("ann"), "group-1").catch(() => {});
    await world.createGroup("group-1", "ann");
    slow.resolve();
    await reading;
    await world.send("ann", "group-1", { text: "hi" });

    expect(world.count("conflicts")).toBe(0);
  });
});

describe("A small cache", () => {
  it.each([
    ["a conversation", { cachedConversations: 1 }],
    ["a byte", { cachedConversationBytes: 1 }],
  ])("of %s changes nothing but the speed", async (_what, cache) => {
    const world = await World.start({ ...cache, batchItems: 2 });
    await world.createGroup("group-1", "ann", "bob");

    await Promise.all(
      Array.from({ length: 60 }, async (_, index) => {
        await world.send("ann", `u${index % 6}`, { text: `m${index}` });
        await world.send("bob", "group-1", { text: `g${index}` });
        await world.engine.groups.get(as("ann"), "group-1");
      }),
    );

    for (let user = 0; user < 6; user++) {
      const history = await world.history(`u${user}`, "ann");
      expect(history.map(({ seq }) => seq)).toEqual(history.map((_, index) => index + 1));
      expect(history).toHaveLength(10);
    }
    expect(await world.textsOf("ann", "group-1")).toHaveLength(63);
  });
});
