import { describe, expect, it } from "vitest";
import { as, World } from "./world.ts";

describe("A message that is hidden for a member", () => {
  it("skips that member only, whatever the order of the members", async () => {
    for (const hidden of ["bob", "cid", "dan"]) {
      const world = await World.start();
      const [ann, bob, cid, dan] = await world.people("ann", "bob", "cid", "dan");
      await world.createGroup("group-1", "ann", "bob", "cid", "dan");
      for (const person of [ann, bob, cid, dan]) person.forget();

      await ann.send("group-1", { text: "psst", attributes: { hiddenFor: hidden } });

      const reached = [ann, bob, cid, dan].filter((person) => person.texts().includes("psst"));
      expect(reached.map(({ user }) => user)).toEqual(
        ["ann", "bob", "cid", "dan"].filter((user) => user !== hidden),
      );
      expect(await world.textsOf(hidden, "group-1")).not.toContain("psst");
      expect(await world.textsOf("ann", "group-1")).toContain("psst");
    }
  });

  it("is announced to backends once, and delivered to all but that member", async () => {
    const world = await World.start();
    await world.createGroup("group-1", "ann", "bob", "cid");

    await world.send("ann", "group-1", { text: "psst", attributes: { hiddenFor: "bob" } });

    const fact = world.factsOf("message").at(-1);
    expect(fact?.sent).toMatchObject({ user: "group-1", status: 100 });
    expect(fact?.delivered.map(({ user }) => user)).toEqual(["ann", "cid"]);
  });

  it("stays out of that member's list, counters and archive", async () => {
    const world = await World.start();
    const [bob] = await world.people("bob");
    await world.createGroup("group-1", "ann", "bob");
    await world.send("ann", "group-1", { text: "for all" });
    await bob.archive("group-1");
    bob.forget();

    await world.send("ann", "group-1", { text: "psst", attributes: { hiddenFor: "bob" } });

    expect(bob.frames).toEqual([]);
    expect(await world.list("bob", true)).toMatchObject([{ last_message_text: "for all", archived: true }]);
    expect(await world.list("bob")).toEqual([]);
    expect(world.factsOf("unarchived")).toEqual([]);
  });

  it("still takes its number, which is covered for that member", async () => {
    const world = await World.start();
    await world.createGroup("group-1", "ann", "bob");
    const { seq } = await world.send("ann", "group-1", { text: "one" });
    await world.send("ann", "group-1", { text: "two", attributes: { hiddenFor: "bob" } });
    await world.send("ann", "group-1", { text: "three" });

    const page = JSON.parse(await world.engine.sync.events(as("bob"), "group-1", { after: seq - 1 }));

    expect(page.events.map((event: { seq: number }) => event.seq)).toEqual([seq, seq + 2]);
    expect(page).toMatchObject({ head: seq + 2, covered: [[seq, seq + 2]] });
  });

  it("reaches its own sender even when it names the sender", async () => {
    const world = await World.start();
    const [ann, bob] = await world.people("ann", "bob");
    await world.createGroup("group-1", "ann", "bob");

    await ann.send("group-1", { text: "mine", attributes: { hiddenFor: "ann" } });

    expect(ann.texts()).toContain("mine");
    expect(bob.texts()).toContain("mine");
  });

  it("is an ordinary one in a direct conversation: nobody talks to somebody who does not know", async () => {
    const world = await World.start();
    const [ann, bob] = await world.people("ann", "bob");

    await ann.send("bob", { text: "psst", attributes: { hiddenFor: "bob" } });

    for (const person of [ann, bob]) expect(person.texts()).toEqual(["psst"]);
    expect(await world.textsOf("bob", "ann")).toEqual(["psst"]);
    expect(await world.list("bob")).toMatchObject([{ conversWith: "ann", is_new: true }]);
  });

  it.each([null, "", 1, ["bob"], { bob: 1 }, "nobody"])(
    "hides nothing when hiddenFor is %j",
    async (hiddenFor) => {
      const world = await World.start();
      const [bob] = await world.people("bob");

      await world.send("ann", "bob", { text: "x", attributes: { hiddenFor } });

      expect(bob.messages()[0]).toMatchObject({ text: "x", attributes: { hiddenFor } });
    },
  );
});
