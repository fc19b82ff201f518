import { limits } from "@chat21/protocol";
import { describe, expect, it } from "vitest";
import { admin, as, World } from "./world.ts";

describe("Setting a group's members", () => {
  it("tells the present members once, without a label, and the newcomers by messages and history", async () => {
    const world = await World.start();
    const [ann, bob, cid] = await world.people("ann", "bob", "cid");
    await world.createGroup("group-1", "ann", "bob");
    await world.send("ann", "group-1", { text: "before" });
    for (const person of [ann, bob, cid]) person.forget();

    await world.engine.groups.setMembers(as("ann"), "group-1", ["ann", "cid"]);

    for (const person of [ann, bob]) {
      expect(person.bodies("group-updated")).toMatchObject([{ members: { ann: 1, cid: 1 } }]);
      expect(person.bodies("group-updated")[0]).not.toHaveProperty("notification");
    }
    expect(cid.bodies("group-updated")).toEqual([]);
    const told = ["bob removed from group", "cid added to group"];
    expect(cid.texts("group-1").slice(-3)).toEqual(["before", ...told]);
    expect(cid.messages("group-1").at(-3)).toMatchObject({ __history: "true" });
    expect(ann.texts("group-1")).toEqual(told);
    expect(bob.messages()).toEqual([]);
    expect(world.log("group-1").filter(({ body }) => body.includes("MEMBER_LEFT_GROUP"))).toHaveLength(1);
  });

  it("asks for the names of newcomers only, and for none where they are too many to be named", async () => {
    const asked: string[][] = [];
    const lookup = async (_app: string, users: readonly string[]) => {
      asked.push([...users]);
      return users.map((user) => ({ fullname: user, firstname: `Mx ${user}`, lastname: "" }));
    };
    const world = await World.start({ contacts: { lookup } });
    const [ann] = await world.people("ann");
    await world.createGroup("group-1", "ann", "bob");
    asked.length = 0;
    const crowd = Array.from({ length: 201 }, (_, index) => `u${index}`);

    await world.engine.groups.setMembers(as("ann"), "group-1", ["ann", "cid"]);
    await world.engine.groups.setMembers(as("ann"), "group-1", ["ann", "cid", ...crowd]);
    await world.createGroup("group-2", "ann", ...crowd);

    expect(asked).toEqual([["cid"]]);
    expect(ann.texts("group-1")).toContain("Mx cid added to group");
  });

  it("takes effect at once for who writes and who reads", async () => {
    const world = await World.start();
    const [ann, bob, cid] = await world.people("ann", "bob", "cid");
    await world.createGroup("group-1", "ann", "bob");
    await world.engine.groups.setMembers(as("ann"), "group-1", ["ann", "cid"]);
    for (const person of [ann, bob, cid]) person.forget();

    await bob.send("group-1", { text: "out" });
    await cid.send("group-1", { text: "in" });

    expect(bob.answers).toMatchObject([{ code: "not_member" }]);
    expect(ann.texts()).toEqual(["in"]);
    expect(cid.texts()).toEqual(["in"]);
  });

  it("takes somebody once who is named twice", async () => {
    const world = await World.start();
    await world.createGroup("group-1", "ann");

    await world.engine.groups.setMembers(as("ann"), "group-1", ["ann", "bob", "bob"]);

    expect(world.log("group-1").filter(({ type }) => type === "member_added")).toHaveLength(1);
  });

  it("may change very many members at once, as one write, without a message about every one", async () => {
    const world = await World.start();
    await world.createGroup("group-1", "ann");
    const members = Array.from({ length: 600 }, (_, index) => `u${index}`);

    await world.engine.groups.setMembers(as("ann"), "group-1", ["ann", ...members]);

    const numbers = world.log("group-1").map(({ seq }) => seq);
    expect(numbers).toEqual(numbers.map((_, index) => index + 1));
    expect(Object.keys(JSON.parse(await world.engine.groups.get(admin, "group-1")).members)).toHaveLength(
      601,
    );
    expect(await world.textsOf("u599", "group-1")).toEqual(["Group created", "ann joined group on creation"]);
  });

  it("tells each of very many about itself, and everybody about the last, whose number shows the gap", async () => {
    const world = await World.start();
    const [ann, gone, come] = await world.people("ann", "gone", "come");
    const crowd = Array.from({ length: 300 }, (_, index) => `u${index}`);
    await world.createGroup("group-1", "ann", "gone", ...crowd);
    await world.send("ann", "group-1", { text: "before" });
    for (const person of [ann, gone, come]) person.forget();

    await world.engine.groups.setMembers(as("ann"), "group-1", ["ann", "come", ...crowd.slice(0, 50)]);
    await world.rest();

    const changes = ({ frames }: typeof ann) =>
      frames.filter(({ kind }) => kind === "event").map(({ body }) => [body.type, body.data.member_id]);
    expect(changes(ann)).toEqual([
      ["group_updated", undefined],
      ["member_added", "come"],
    ]);
    expect(changes(gone)).toEqual([
      ["group_updated", undefined],
      ["member_removed", "gone"],
    ]);
    expect(changes(come)).toEqual([["member_added", "come"]]);
    expect(JSON.stringify([ann.frames, gone.frames, come.frames])).not.toContain("quiet");
  });

  it.each([
    ["the same members in another order", as("ann"), ["bob", "ann"], "conflict"],
    ["a member who is not the owner", as("bob"), ["bob"], "forbidden"],
    ["an id outside the alphabet", as("ann"), ["ann", "x/y"], "invalid_id"],
    [
      "more than 10,000 members",
      as("ann"),
      Array.from({ length: limits.groupMembers + 1 }, (_, n) => `u${n}`),
      "bad_request",
    ],
  ])("is refused with %s", async (_what, actor, members, code) => {
    const world = await World.start();
    await world.createGroup("group-1", "ann", "bob");
    const head = world.log("group-1").length;

    await expect(world.engine.groups.setMembers(actor, "group-1", members)).rejects.toMatchObject({ code });

    expect(world.log("group-1")).toHaveLength(head);
    expect(JSON.parse(await world.engine.groups.get(admin, "group-1")).members).toEqual({ ann: 1, bob: 1 });
  });

  it("says of the same members what existing clients expect", async () => {
    const world = await World.start();
    await world.createGroup("group-1", "ann");

    await expect(world.engine.groups.setMembers(as("ann"), "group-1", ["ann"])).rejects.toThrow(
      "Same members in group, skipping setGroupMembers()",
    );
  });

  it("is not found for a group that nobody created", async () => {
    const world = await World.start();
    await world.send("ann", "group-1", { text: "begun" });

    await expect(world.engine.groups.setMembers(as("ann"), "group-1", ["bob"])).rejects.toMatchObject({
      code: "not_found",
    });
  });
});
