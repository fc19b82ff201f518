import { describe, expect, it } from "vitest";
import { admin, allOf, as, World } from "./world.ts";

describe("Somebody who leaves a group", () => {
  it("hears of it with all others, and then no more", async () => {
    const world = await World.start();
    const [ann, bob, cid] = await world.people("ann", "bob", "cid");
    await world.createGroup("group-1", "ann", "bob", "cid");
    for (const person of [ann, bob, cid]) person.forget();

    await world.engine.groups.removeMember(as("bob"), "group-1", "bob");
    await ann.send("group-1", { text: "gone" });

    for (const person of [ann, bob, cid]) {
      expect(person.bodies("group-updated")).toMatchObject([
        {
          members: { ann: 1, cid: 1 },
          notification: { messagelabel: { key: "MEMBER_LEFT_GROUP", parameters: { member_id: "bob" } } },
        },
      ]);
      expect(person.bodies("group-updated")[0].members).not.toHaveProperty("bob");
      expect(person.bodies("event")).toMatchObject([{ type: "member_removed", data: { member_id: "bob" } }]);
    }
    expect(bob.messages()).toEqual([]);
    expect(cid.messages("group-1")).toMatchObject([
      {
        text: "bob removed from group",
        sender: "system",
        attributes: { messagelabel: { key: "MEMBER_LEFT_GROUP", parameters: { member_id: "bob" } } },
      },
      { text: "gone" },
    ]);
  });

  it("keeps reading up to there, and not beyond", async () => {
    const world = await World.start();
    await world.createGroup("group-1", "ann", "bob");
    await world.send("ann", "group-1", { text: "before" });
    await world.engine.groups.removeMember(as("bob"), "group-1", "bob");

    await world.send("ann", "group-1", { text: "after" });

    expect((await world.textsOf("bob", "group-1")).at(-1)).toBe("before");
    expect(await world.list("bob")).toMatchObject([{ conversWith: "group-1", last_message_text: "before" }]);
    const page = JSON.parse(await world.engine.sync.events(as("bob"), "group-1", {}));
    expect(page.events.at(-1)).toMatchObject({ type: "member_removed", seq: page.head });
  });

  it("may not write any more, nor read the group's data", async () => {
    const world = await World.start();
    const [bob] = await world.people("bob");
    await world.createGroup("group-1", "ann", "bob");
    await world.engine.groups.removeMember(as("bob"), "group-1", "bob");
    bob.forget();

    await bob.send("group-1", { text: "still here" });

    expect(bob.answers).toMatchObject([{ code: "not_member" }]);
    expect(await world.textsOf("ann", "group-1")).not.toContain("still here");
    await expect(world.engine.groups.get(as("bob"), "group-1")).rejects.toMatchObject({ code: "not_member" });
  });

  it("is not told of what is typed there", async () => {
    const world = await World.start();
    const [ann, bob] = await world.people("ann", "bob");
    await world.createGroup("group-1", "ann", "bob");
    await world.engine.groups.removeMember(as("bob"), "group-1", "bob");
    bob.forget();

    await ann.command({ type: "typing", conversWith: "group-1", typing: true });

    expect(bob.frames).toEqual([]);
  });

  it("learns from no mark how far the group has come", async () => {
    const world = await World.start();
    const [bob] = await world.people("bob");
    await world.createGroup("group-1", "ann", "bob");
    await world.engine.groups.removeMember(as("ann"), "group-1", "bob");
    const page = JSON.parse(await world.engine.sync.events(as("bob"), "group-1", {}));
    for (let n = 0; n < 5; n++) await world.send("ann", "group-1", { text: "after" });
    bob.forget();

    const far = { conversWith: "group-1", read: Number.MAX_SAFE_INTEGER };
    const marked = await world.engine.conversations.moveWatermarks(as("bob"), "bob", far);
    await bob.update("group-1", { is_new: false });
    await bob.archive("group-1");

    expect(marked).toEqual({ delivered: page.head, read: page.head });
    expect(bob.bodies("ephemeral")).toMatchObject(
      Array.from({ length: 2 }, () => ({ type: "receipt", delivered: page.head, read: page.head })),
    );
    expect(await world.store.conversations.view("tilechat", "group-1", "bob")).toMatchObject({
      head: page.head,
      state: { delivered: page.head, read: page.head, archivedAt: page.head },
    });
  });

  it("and comes back sees the newest numbers again, those in between too, and what was seen before", async () => {
    const world = await World.start();
    const [bob] = await world.people("bob");
    await world.createGroup("group-1", "ann", "bob");
    await world.send("ann", "group-1", { text: "one" });
    await world.engine.groups.removeMember(as("ann"), "group-1", "bob");
    await world.send("ann", "group-1", { text: "two" });
    bob.forget();

    await world.engine.groups.addMember(as("ann"), "group-1", "bob");

    const texts = await world.textsOf("bob", "group-1");
    expect(texts).toEqual(expect.arrayContaining(["one", "two", "bob added to group"]));
    expect(bob.texts()).toEqual(texts);
  });

  it("and comes back after more than 200 numbers sees a gap", async () => {
    const world = await World.start();
    await world.createGroup("group-1", "ann", "bob");
    await world.send("ann", "group-1", { text: "early" });
    await world.engine.groups.removeMember(as("ann"), "group-1", "bob");
    await Promise.all(Array.from({ length: 250 }, (_, n) => world.send("ann", "group-1", { text: `m${n}` })));

    await world.engine.groups.addMember(as("ann"), "group-1", "bob");

    const texts = (await allOf(world.engine.messages.list(as("bob"), "bob", "group-1", { limit: 1_000 })))
      .map((text) => JSON.parse(text).text)
      .reverse();
    expect(texts.slice(0, 6)).toEqual([
      "Group created",
      "ann joined group on creation",
      "bob joined group on creation",
      "early",
      "m50",
      "m51",
    ]);
    expect(texts.at(-1)).toBe("bob added to group");
  });
});

describe("Removing somebody from a group", () => {
  it.each([
    ["an ordinary member removes another", as("bob"), "cid", "forbidden"],
    ["an ordinary member removes the owner", as("bob"), "ann", "forbidden"],
    ["a stranger removes a member", as("eve"), "bob", "forbidden"],
    ["a stranger leaves", as("eve"), "eve", "not_member"],
    ["the owner removes a stranger", as("ann"), "eve", "not_member"],
  ])("is refused when %s", async (_what, actor, member, code) => {
    const world = await World.start();
    await world.createGroup("group-1", "ann", "bob", "cid");

    await expect(world.engine.groups.removeMember(actor, "group-1", member)).rejects.toMatchObject({ code });

    expect(JSON.parse(await world.engine.groups.get(admin, "group-1")).members).toEqual({
      ann: 1,
      bob: 1,
      cid: 1,
    });
  });

  it.each([
    ["the owner removes a member", as("ann"), "bob"],
    ["an admin removes a member", admin, "bob"],
    ["an admin removes the owner", admin, "ann"],
    ["the owner leaves", as("ann"), "ann"],
    ["a member leaves", as("bob"), "bob"],
  ])("works when %s", async (_what, actor, member) => {
    const world = await World.start();
    await world.createGroup("group-1", "ann", "bob", "cid");

    await world.engine.groups.removeMember(actor, "group-1", member);

    expect(JSON.parse(await world.engine.groups.get(admin, "group-1")).members).not.toHaveProperty(member);
  });

  it("twice removes once", async () => {
    const world = await World.start();
    await world.createGroup("group-1", "ann", "bob");
    await world.engine.groups.removeMember(as("ann"), "group-1", "bob");

    const again = world.engine.groups.removeMember(as("ann"), "group-1", "bob");

    await expect(again).rejects.toMatchObject({ code: "not_member" });
  });
});

describe("An owner who goes", () => {
  const ownerOf = async (world: World) => JSON.parse(await world.engine.groups.get(admin, "group-1")).owner;

  it.each([
    ["leaves", as("ann")],
    ["is removed by an admin", admin],
  ])("and %s passes the group on to the member of longest standing", async (_how, actor) => {
    const world = await World.start();
    const [bob, cid] = await world.people("bob", "cid");
    await world.createGroup("group-1", "ann", "bob", "cid");
    await world.engine.groups.removeMember(as("ann"), "group-1", "bob");
    await world.engine.groups.addMember(as("ann"), "group-1", "dan");
    await world.engine.groups.addMember(as("ann"), "group-1", "bob");
    for (const person of [bob, cid]) person.forget();

    await world.engine.groups.removeMember(actor, "group-1", "ann");

    expect(await ownerOf(world)).toBe("bob");
    for (const person of [bob, cid]) {
      expect(person.bodies("group-updated")).toMatchObject([{ owner: "bob" }]);
      expect(person.bodies("event")).toMatchObject([
        { type: "member_removed", data: { member_id: "ann", owner: "bob" } },
      ]);
      expect(person.messages("group-1")).toMatchObject([
        {
          text: "ann removed from group",
          attributes: { messagelabel: { parameters: { member_id: "ann", owner: "bob" } } },
        },
      ]);
    }
    await world.engine.groups.rename(as("bob"), "group-1", "Ours");
    await expect(world.engine.groups.rename(as("ann"), "group-1", "Mine")).rejects.toMatchObject({
      code: "forbidden",
    });
  });

  it("and is not among new members passes it on, to a newcomer where nobody stays", async () => {
    const world = await World.start();
    await world.createGroup("group-1", "ann", "bob", "cid");

    await world.engine.groups.setMembers(as("ann"), "group-1", ["cid", "dan"]);
    expect(await ownerOf(world)).toBe("cid");
    await world.engine.groups.setMembers(as("cid"), "group-1", ["eve"]);

    expect(await ownerOf(world)).toBe("eve");
    await world.engine.groups.addMember(as("eve"), "group-1", "bob");
  });

  it("as the last one stays the owner of an empty group", async () => {
    const world = await World.start();
    await world.createGroup("group-1", "ann");

    await world.engine.groups.removeMember(as("ann"), "group-1", "ann");

    expect(await ownerOf(world)).toBe("ann");
  });

  it.each([
    ["has left", as("ann")],
    ["was removed by an admin", admin],
  ])("as the last one and %s has no rights in the group any more", async (_how, actor) => {
    const world = await World.start();
    await world.createGroup("group-1", "ann");
    await world.engine.groups.removeMember(actor, "group-1", "ann");
    await world.engine.groups.addMember(admin, "group-1", "bob");
    const { groups } = world.engine;

    const attempts = [
      () => groups.addMember(as("ann"), "group-1", "ann"),
      () => groups.setMembers(as("ann"), "group-1", ["ann"]),
      () => groups.removeMember(as("ann"), "group-1", "bob"),
      () => groups.rename(as("ann"), "group-1", "Mine"),
      () => groups.setAttributes(as("ann"), "group-1", "{}"),
    ];

    for (const attempt of attempts) await expect(attempt()).rejects.toMatchObject({ code: "forbidden" });
    expect(JSON.parse(await groups.get(admin, "group-1"))).toMatchObject({ members: { bob: 1 } });
    await groups.addMember(admin, "group-1", "ann");
    await groups.rename(as("ann"), "group-1", "Again mine");
  });

  it("does not pass on a group that somebody outside of it owns", async () => {
    const world = await World.start();
    await world.engine.groups.create(admin, {
      id: "group-1",
      name: "Desk",
      owner: "desk",
      members: ["ann", "bob"],
    });

    await world.engine.groups.removeMember(admin, "group-1", "ann");

    expect(await ownerOf(world)).toBe("desk");
  });
});

describe("The info message about a member", () => {
  it("names who has added or removed somebody, and nobody for one who left", async () => {
    const world = await World.start();
    const [ann] = await world.people("ann");
    await world.createGroup("group-1", "ann", "bob");
    ann.forget();

    await world.engine.groups.addMember(as("ann"), "group-1", "cid");
    await world.engine.groups.removeMember(as("ann"), "group-1", "cid");
    await world.engine.groups.removeMember(as("bob"), "group-1", "bob");

    const labels = ann.messages("group-1").map((message) => message.attributes.messagelabel);
    expect(labels).toMatchObject([
      { key: "MEMBER_JOINED_GROUP", parameters: { member_id: "cid", added_by: "ann" } },
      { key: "MEMBER_LEFT_GROUP", parameters: { member_id: "cid", removed_by: "ann" } },
      { key: "MEMBER_LEFT_GROUP", parameters: { member_id: "bob" } },
    ]);
    expect(labels[2].parameters).not.toHaveProperty("removed_by");
  });
});
