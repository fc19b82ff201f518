import { limits } from "@chat21/protocol";
import { describe, expect, it } from "vitest";
import { as, type Json, World } from "./world.ts";

const to = (members: readonly string[], text = "hi"): Json => ({
  text,
  group: { name: "Inline", members: Object.fromEntries(members.map((member) => [member, 1])) },
});

describe("A message with an inline group", () => {
  it("reaches those whom it names and its sender, and keeps the group as it was written", async () => {
    const world = await World.start();
    const [ann, bob, cid, dan] = await world.people("ann", "bob", "cid", "dan");

    await ann.send("group-1", to(["bob", "cid"]));

    for (const person of [ann, bob, cid]) {
      expect(person.messages("group-1")).toMatchObject([
        {
          text: "hi",
          sender: "ann",
          recipient: "group-1",
          status: 150,
          group: { name: "Inline", members: { bob: 1, cid: 1 } },
        },
      ]);
    }
    expect(dan.frames).toEqual([]);
  });

  it("creates no group", async () => {
    const world = await World.start();

    await world.send("ann", "group-1", to(["bob"]));

    await expect(world.engine.groups.get(as("ann"), "group-1")).rejects.toMatchObject({ code: "not_found" });
  });

  it("stays readable for those whom it named, and nothing after it does", async () => {
    const world = await World.start();
    await world.send("ann", "group-1", { text: "before" });
    await world.send("ann", "group-1", to(["bob"], "for bob"));
    await world.send("ann", "group-1", { text: "after" });

    expect(await world.textsOf("bob", "group-1")).toEqual(["for bob"]);
    expect(await world.textsOf("ann", "group-1")).toEqual(["before", "for bob", "after"]);
    expect(await world.list("bob")).toMatchObject([{ conversWith: "group-1", last_message_text: "for bob" }]);
  });

  it("may name other members each time", async () => {
    const world = await World.start();
    await world.send("ann", "group-1", to(["bob", "cid"], "both"));
    await world.send("ann", "group-1", to(["cid"], "cid only"));
    await world.send("ann", "group-1", to(["bob"], "bob only"));

    expect(await world.textsOf("bob", "group-1")).toEqual(["both", "bob only"]);
    expect(await world.textsOf("cid", "group-1")).toEqual(["both", "cid only"]);
  });

  it("lets those whom it named neither write nor see who else is there", async () => {
    const world = await World.start();
    const [bob] = await world.people("bob");
    await world.send("ann", "group-1", to(["bob"]));
    bob.forget();

    await bob.send("group-1", { text: "answer" });
    await bob.send("group-1", to(["cid"]));

    expect(bob.answers).toMatchObject([{ code: "not_member" }, { code: "not_member" }]);
    expect(await world.textsOf("ann", "group-1")).toEqual(["hi"]);
  });

  it("may name its sender and the group itself without any of them getting it twice", async () => {
    const world = await World.start();
    const [ann] = await world.people("ann");

    await ann.send("group-1", to(["ann", "group-1", "bob"]));

    expect(ann.texts()).toEqual(["hi"]);
    expect(
      world
        .factsOf("message")
        .at(-1)
        ?.delivered.map(({ user }) => user),
    ).toEqual(["ann", "bob"]);
  });

  it("is sent by `system` to those whom it names", async () => {
    const world = await World.start();
    const [bob] = await world.people("bob");

    await world.engine.messages.send(
      { app: "tilechat", user: "backend", admin: true },
      {
        recipient: "group-1",
        sender: "system",
        body: JSON.stringify(to(["bob"])),
      },
    );

    expect(bob.texts("group-1")).toEqual(["hi"]);
  });

  it("may name the one who began the group, who goes on reading and writing", async () => {
    const world = await World.start();
    await world.send("ann", "group-1", { text: "begun" });
    const backend = { app: "tilechat", user: "backend", admin: true };

    await world.engine.messages.send(backend, {
      recipient: "group-1",
      body: JSON.stringify(to(["ann", "bob"])),
    });
    await world.send("ann", "group-1", { text: "still mine" });

    expect(await world.textsOf("ann", "group-1")).toEqual(["begun", "hi", "still mine"]);
  });

  it("for a group that exists is refused: as a conflict to a member, as a stranger's to a stranger", async () => {
    const world = await World.start();
    const [ann, eve] = await world.people("ann", "eve");
    await world.createGroup("group-1", "ann", "bob");
    ann.forget();

    await ann.send("group-1", to(["eve"]));
    await eve.send("group-1", to(["ann"]));

    expect(ann.answers).toMatchObject([{ code: "conflict" }]);
    expect(eve.answers).toMatchObject([{ code: "not_member" }]);
    expect([...ann.messages(), ...eve.messages()]).toEqual([]);
  });

  it("names at most 50 members", async () => {
    const world = await World.start();
    const [ann] = await world.people("ann");
    const members = Array.from({ length: limits.inlineGroupMembers + 1 }, (_, index) => `u${index}`);

    await ann.send("group-1", to(members));
    await ann.send("group-1", to(members.slice(1)));

    expect(ann.answers).toMatchObject([{ code: "bad_request" }]);
    expect(ann.texts()).toEqual(["hi"]);
    expect(await world.textsOf("u50", "group-1")).toEqual(["hi"]);
  });

  it.each(["", "..", "a\ud800", "x".repeat(limits.userIdBytes + 1)])(
    "is refused with a member called %j",
    async (member) => {
      const world = await World.start();
      const [ann] = await world.people("ann");

      await ann.send("group-1", to(["bob", member]));

      expect(ann.answers).toMatchObject([{ code: "invalid_id" }]);
      expect(world.disk.conversations.size).toBe(0);
    },
  );

  it("changes nothing in a direct conversation", async () => {
    const world = await World.start();
    const [bob, cid] = await world.people("bob", "cid");

    await world.send("ann", "bob", to(["cid"]));

    expect(bob.texts("ann")).toEqual(["hi"]);
    expect(cid.frames).toEqual([]);
  });
});
