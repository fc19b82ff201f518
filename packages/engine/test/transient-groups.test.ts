import { describe, expect, it } from "vitest";
import { admin, as, type Json, supportGroup, World } from "./world.ts";

describe("A message to a group that nobody has created", () => {
  it("comes back to its sender as delivered, and is announced once for the group", async () => {
    const world = await World.start();
    const [visitor, other] = await world.people("visitor", "other");

    await visitor.send(supportGroup, { text: "help", attributes: { projectId: "p1" } });

    expect(visitor.messages(supportGroup)).toMatchObject([
      { text: "help", status: 150, seq: 1, sender: "visitor", recipient: supportGroup },
    ]);
    expect(other.frames).toEqual([]);
    expect(world.factsOf("message")).toMatchObject([
      {
        conversationKind: "group",
        sent: { user: supportGroup, conversWith: supportGroup, status: 100 },
        delivered: [{ user: "visitor", conversWith: supportGroup, status: 150 }],
      },
    ]);
  });

  it("makes its sender the owner of the log: it reads, lists, archives and goes on writing", async () => {
    const world = await World.start();
    const [visitor] = await world.people("visitor");
    await visitor.send(supportGroup, { text: "one" });
    await visitor.send(supportGroup, { text: "two" });

    expect(await world.textsOf("visitor", supportGroup)).toEqual(["one", "two"]);
    expect(await world.list("visitor")).toMatchObject([
      { conversWith: supportGroup, last_message_text: "two" },
    ]);
    await visitor.archive(supportGroup);
    expect(await world.list("visitor", true)).toHaveLength(1);
    await expect(world.engine.groups.get(as("visitor"), supportGroup)).rejects.toMatchObject({
      code: "not_found",
    });
  });

  it("is refused from everybody else until the group is created, and nobody learns of it", async () => {
    const world = await World.start();
    const [visitor, eve] = await world.people("visitor", "eve");
    await visitor.send(supportGroup, { text: "help" });
    visitor.forget();

    await eve.send(supportGroup, { text: "let me in" });

    expect(eve.answers).toMatchObject([{ code: "not_member" }]);
    expect(eve.messages()).toEqual([]);
    expect(visitor.frames).toEqual([]);
    expect(world.log(supportGroup)).toHaveLength(1);
  });

  it("may come from `system` and from an admin, whom nobody has to add", async () => {
    const world = await World.start();
    const [visitor] = await world.people("visitor");
    await visitor.send(supportGroup, { text: "help" });
    visitor.forget();

    await world.engine.messages.send(admin, {
      recipient: supportGroup,
      sender: "system",
      body: '{"text":"hold on"}',
    });
    await world.engine.messages.send(admin, {
      recipient: supportGroup,
      sender: "bot",
      body: '{"text":"I am a bot"}',
    });

    expect(visitor.texts(supportGroup)).toEqual(["hold on", "I am a bot"]);
    expect(await world.history("bot", supportGroup)).toEqual([]);
  });

  it("may be begun by `system`, which owns nothing", async () => {
    const world = await World.start();

    await world.engine.messages.send(admin, {
      recipient: "group-1",
      sender: "system",
      body: '{"text":"first"}',
    });

    expect(await world.history("system", "group-1")).toEqual([]);
    expect(world.factsOf("message")).toMatchObject([{ sent: { user: "group-1" }, delivered: [] }]);
    await expect(world.send("visitor", "group-1", { text: "second" })).rejects.toMatchObject({
      code: "not_member",
    });
  });

  it("is refused when the id does not look like a group's", async () => {
    const world = await World.start();
    const [ann] = await world.people("ann");

    await ann.send("team", { text: "hi", channel_type: "group" });

    expect(ann.answers).toMatchObject([{ code: "not_found" }]);
    expect(world.disk.conversations.size).toBe(0);
  });

  it("begins nothing unless the id begins as those of support chats, or as the app allows", async () => {
    const usual = await World.start({ groupsFromMessages: undefined });
    const open = await World.start({ groupsFromMessages: ["desk-group-"] });
    const none = await World.start({ groupsFromMessages: [] });

    const begun = async (world: World, group: string, more: object = {}) => {
      const [ann] = await world.people("ann");
      await ann.send(group, { text: "hi", channel_type: "group", ...more });
      return ann.answers.length > 0 ? ann.answers[0].code : world.log(group).length;
    };

    expect(await begun(usual, "group-taem")).toBe("not_found");
    expect(await begun(usual, "my-support-group-1")).toBe("not_found");
    expect(await begun(usual, supportGroup)).toBe(1);
    expect(await begun(open, supportGroup)).toBe("not_found");
    expect(await begun(open, "desk-group-1")).toBe(1);
    expect(await begun(none, supportGroup)).toBe("not_found");
    // Whoever names the members means a new group.
    expect(await begun(none, "group-new", { group: { members: { bob: 1 } } })).toBe(1);
  });

  it("may not come from an admin or `system` under a mistyped id either", async () => {
    const world = await World.start({ groupsFromMessages: undefined });

    for (const sender of ["system", "ann"]) {
      const sent = world.engine.messages.send(admin, {
        recipient: "group-taem",
        sender,
        body: '{"text":"hi"}',
      });
      await expect(sent).rejects.toMatchObject({ code: "not_found" });
    }
    expect(world.disk.conversations.size).toBe(0);
  });
});

describe("Creating a group over what messages began", () => {
  it("by its owner keeps the log and lets the members see all of it", async () => {
    const world = await World.start();
    const [visitor, agent] = await world.people("visitor", "agent");
    await visitor.send(supportGroup, { text: "help" });
    visitor.forget();

    await world.createGroup(supportGroup, "visitor", "agent");

    expect(world.log(supportGroup).map(({ seq, type }) => [seq, type])).toEqual([
      [1, "message"],
      [2, "group_created"],
      [3, "message"],
      [4, "message"],
      [5, "message"],
    ]);
    expect((await world.textsOf("agent", supportGroup))[0]).toBe("help");
    expect(agent.texts(supportGroup)).toEqual([
      "Group created",
      "visitor joined group on creation",
      "agent joined group on creation",
    ]);
    expect(visitor.texts()).toEqual(agent.texts());
  });

  it("by an admin may leave the one who began it outside, who keeps reading what was there", async () => {
    const world = await World.start();
    await world.send("visitor", supportGroup, { text: "help" });

    const document: Json = JSON.parse(
      await world.engine.groups.create(admin, {
        id: supportGroup,
        name: "T",
        members: ["agent"],
        owner: "agent",
      }),
    );
    await world.send("agent", supportGroup, { text: "among us" });

    expect(document.members).toEqual({ agent: 1 });
    expect(await world.textsOf("visitor", supportGroup)).toEqual(["help"]);
    await expect(world.send("visitor", supportGroup, { text: "?" })).rejects.toMatchObject({
      code: "not_member",
    });
  });

  it("without the one who began it shows members nothing older, nor those who join later", async () => {
    const world = await World.start();
    const [agent, late] = await world.people("agent", "late");
    await world.send("eve", supportGroup, { text: "I am your bank" });
    await world.send("eve", supportGroup, { text: "click here" });

    await world.engine.groups.create(admin, {
      ...{ id: supportGroup, name: "T", members: ["agent"], owner: "agent" },
    });
    await world.send("agent", supportGroup, { text: "among us" });
    await world.engine.groups.addMember(as("agent"), supportGroup, "late");
    await world.engine.groups.setMembers(as("agent"), supportGroup, ["agent", "late", "later"]);

    const begun = ["Group created", "agent joined group on creation", "among us"];
    for (const user of ["agent", "late", "later"])
      expect((await world.textsOf(user, supportGroup)).slice(0, 3)).toEqual(begun);
    for (const person of [agent, late]) expect(person.texts()).not.toContain("I am your bank");
    expect(await world.textsOf("eve", supportGroup)).toEqual(["I am your bank", "click here"]);
  });

  it("does not let somebody in who was only named in a message before", async () => {
    const world = await World.start();
    await world.send("eve", "group-1", { text: "one" });
    await world.send("eve", "group-1", { text: "two", group: { members: { agent: 1 } } });
    await world.send("eve", "group-1", { text: "three" });

    await world.engine.groups.create(admin, {
      ...{ id: "group-1", name: "T", members: ["agent"], owner: "agent" },
    });

    expect((await world.textsOf("agent", "group-1")).slice(0, 2)).toEqual(["two", "Group created"]);
  });

  it("by anybody else is refused", async () => {
    const world = await World.start();
    await world.send("visitor", supportGroup, { text: "help" });

    const creating = world.engine.groups.create(as("eve"), { id: supportGroup, name: "T", members: [] });

    await expect(creating).rejects.toMatchObject({ code: "forbidden" });
    expect(world.log(supportGroup)).toHaveLength(1);
    expect(await world.history("eve", supportGroup)).toEqual([]);
  });
});
