import { describe, expect, it } from "vitest";
import { admin, as, type Json, supportGroup, World } from "./world.ts";

/** A group of ann and bob in which ann has written some messages. */
async function busyGroup(world: World, count: number, id = "group-1"): Promise<void> {
  await world.createGroup(id, "ann", "bob");
  await Promise.all(
    Array.from({ length: count }, (_, index) =>
      world.send("ann", id, { text: `m${index}`, attributes: { tempUID: `t${index}` } }),
    ),
  );
}

describe("Somebody who is added to a group", () => {
  it("gets the new data like all others, then what was said before, then hears of the own arrival", async () => {
    const world = await World.start();
    const [ann, cid] = await world.people("ann", "cid");
    await busyGroup(world, 2);
    ann.forget();

    await world.engine.groups.addMember(as("ann"), "group-1", "cid");

    expect(cid.texts("group-1")).toEqual([
      "Group created",
      "ann joined group on creation",
      "bob joined group on creation",
      "m0",
      "m1",
      "cid added to group",
    ]);
    expect(cid.kinds.slice(0, 2)).toEqual(["event", "group-updated"]);
    expect(ann.kinds).toEqual(["event", "group-updated", "message-added"]);
    for (const person of [ann, cid]) {
      expect(person.bodies("group-updated")).toMatchObject([
        {
          uid: "group-1",
          members: { ann: 1, bob: 1, cid: 1 },
          notification: {
            messagelabel: { key: "MEMBER_JOINED_GROUP", parameters: { member_id: "cid", fullname: "cid" } },
          },
        },
      ]);
      expect(person.bodies("event")).toMatchObject([
        { type: "member_added", seq: 7, data: { member_id: "cid" } },
      ]);
      expect(person.messages("group-1").at(-1)).toMatchObject({
        text: "cid added to group",
        sender: "system",
        seq: 8,
        attributes: { messagelabel: { key: "MEMBER_JOINED_GROUP", parameters: { member_id: "cid" } } },
      });
    }
  });

  it("gets the newest messages that fit, and finds the others in the history", async () => {
    const world = await World.start();
    const [cid] = await world.people("cid");
    await world.createGroup("group-1", "ann", "bob");
    const text = "x".repeat(60_000);
    for (let index = 0; index < 200; index++)
      await world.send("ann", "group-1", { text: `${index} ${text}` });

    await world.engine.groups.addMember(as("ann"), "group-1", "cid");

    const numbers = cid.texts("group-1").map((told) => told.split(" ")[0]);
    expect(numbers).toEqual(["198", "199", "cid"]);
    const history = await world.textsOf("cid", "group-1");
    expect(history.slice(-4).map((kept) => kept.split(" ")[0])).toEqual(["197", "198", "199", "cid"]);
    expect(world.factsOf("history")).toHaveLength(2);
  });

  it("to many groups at once gets no more of them than a session can hold, until it has read", async () => {
    const world = await World.start();
    const [cid] = await world.people("cid");
    const text = "x".repeat(60_000);
    const groups = Array.from({ length: 10 }, (_, index) => `group-${index}`);
    for (const group of groups) {
      await world.createGroup(group, "ann", "bob");
      for (let index = 0; index < 4; index++) await world.send("ann", group, { text });
    }
    const replayed = () => cid.messages().filter((message) => message.__history === "true").length;

    await Promise.all(groups.map((group) => world.engine.groups.addMember(as("ann"), group, "cid")));
    expect(replayed()).toBe(4);

    await world.clock.advance(10_000);
    await world.createGroup("group-later", "ann", "bob");
    await world.engine.groups.addMember(as("ann"), "group-later", "cid");
    expect(replayed()).toBe(4 + 3);
  });

  it("is called by the first name when there is one", async () => {
    const lookup = async (_app: string, users: readonly string[]) =>
      users.map((user) => ({ fullname: `${user} F.`, firstname: "Carl", lastname: "F." }));
    const world = await World.start({ contacts: { lookup } });
    await world.createGroup("group-1", "ann");

    await world.engine.groups.addMember(as("ann"), "group-1", "cid");

    expect((await world.textsOf("cid", "group-1")).at(-1)).toBe("Carl added to group");
  });

  it("gets what was said before as history, silenced, with the original ids", async () => {
    const world = await World.start();
    const [ann, cid] = await world.people("ann", "cid");
    await busyGroup(world, 1);
    const original = ann.messages("group-1").at(-1);

    await world.engine.groups.addMember(as("ann"), "group-1", "cid");

    const replayed = cid.messages("group-1").find(({ text }) => text === "m0");
    expect(replayed).toEqual({
      ...original,
      __history: "true",
      status: 150,
      timelineOf: "group-1",
      conversWith: "group-1",
      _id: expect.stringMatching(/^[0-9a-f]{24}$/),
      attributes: { tempUID: "t0", sendnotification: false },
    });
  });

  it("gets attributes in history where there were none, and push where the message insists", async () => {
    const world = await World.start();
    const [cid] = await world.people("cid");
    await world.createGroup("group-1", "ann");
    await world.send("ann", "group-1", { text: "absent" });
    await world.send("ann", "group-1", { text: "null", attributes: null });
    await world.send("ann", "group-1", { text: "forced", attributes: { forcenotification: true } });

    await world.engine.groups.addMember(as("ann"), "group-1", "cid");

    const of = (wanted: string) => cid.messages().find(({ text }) => text === wanted).attributes;
    expect(of("absent")).toEqual({ sendnotification: false });
    expect(of("null")).toEqual({ sendnotification: false });
    expect(of("forced")).toEqual({ forcenotification: true });
  });

  it("gets history as it was written: nothing but the attributes is touched", async () => {
    const world = await World.start();
    const [ann, cid] = await world.people("ann", "cid");
    await world.createGroup("group-1", "ann");
    await ann.send(
      "group-1",
      '{"text":"x","big":12345678901234567890,"float":1.0,"attributes":{"a":1},"z":"\\u0041"}',
    );

    await world.engine.groups.addMember(as("ann"), "group-1", "cid");

    const frame = cid.frames.find(({ body }) => body.text === "x");
    expect(frame?.text).toContain('"big":12345678901234567890,"float":1.0');
    expect(frame?.text).toContain('"z":"\\u0041"');
    expect(frame?.body.attributes).toEqual({ a: 1, sendnotification: false });
  });

  it("gets the newest 200 numbers, never the oldest", async () => {
    const world = await World.start();
    const [cid] = await world.people("cid");
    await busyGroup(world, 230);

    await world.engine.groups.addMember(as("ann"), "group-1", "cid");

    const replayed = cid.messages("group-1").filter(({ __history: mark }) => mark === "true");
    expect(replayed.map(({ text }) => text)).toEqual(
      Array.from({ length: 200 }, (_, index) => `m${index + 30}`),
    );
    expect((await world.history("cid", "group-1"))[0]).toMatchObject({ text: "m31" });
  });

  it("is told alone: nobody else sees the history again", async () => {
    const world = await World.start();
    const [bob] = await world.people("bob");
    await busyGroup(world, 3);
    bob.forget();

    await world.engine.groups.addMember(as("ann"), "group-1", "cid");

    expect(bob.texts("group-1")).toEqual(["cid added to group"]);
  });

  it("is a fact of history for backends, never a message sent again", async () => {
    const world = await World.start();
    await busyGroup(world, 1);
    const before = world.facts.length;

    await world.engine.groups.addMember(as("ann"), "group-1", "cid");

    const facts = world.facts.slice(before);
    expect(facts.map(({ kind }) => kind)).toEqual(["history", "history", "history", "history", "message"]);
    expect(world.factsOf("history").at(-1)?.delivered).toMatchObject({
      user: "cid",
      conversWith: "group-1",
      status: 150,
    });
    expect(JSON.parse(world.factsOf("history").at(-1)?.delivered.payload ?? "")).toMatchObject({
      __history: "true",
    });
  });

  it("gets from then on what everybody gets, and may write", async () => {
    const world = await World.start();
    const [ann, cid] = await world.people("ann", "cid");
    await busyGroup(world, 0, supportGroup);
    await world.engine.groups.addMember(as("ann"), supportGroup, "cid");
    cid.forget();

    await ann.send(supportGroup, { text: "welcome" });
    await cid.send(supportGroup, { text: "thanks" });

    expect(cid.texts(supportGroup)).toEqual(["welcome", "thanks"]);
    expect(cid.messages().map(({ status }) => status)).toEqual([150, 150]);
    expect(ann.texts(supportGroup).slice(-2)).toEqual(["welcome", "thanks"]);
  });

  it("does not see what is hidden for it, in history neither", async () => {
    const world = await World.start();
    const [cid] = await world.people("cid");
    await world.createGroup("group-1", "ann");
    await world.send("ann", "group-1", { text: "psst", attributes: { hiddenFor: "cid" } });

    await world.engine.groups.addMember(as("ann"), "group-1", "cid");

    expect(cid.texts()).not.toContain("psst");
    expect(await world.textsOf("cid", "group-1")).not.toContain("psst");
  });
});

describe("Adding somebody to a group", () => {
  it("is for the owner and for admins", async () => {
    const world = await World.start();
    await world.createGroup("group-1", "ann", "bob");
    const add = (actor: Parameters<typeof world.engine.groups.addMember>[0]) =>
      world.engine.groups.addMember(actor, "group-1", "cid");

    await expect(add(as("bob"))).rejects.toMatchObject({ code: "forbidden" });
    await expect(add(as("cid"))).rejects.toMatchObject({ code: "forbidden" });
    await add(admin);

    expect(Object.keys(JSON.parse(await world.engine.groups.get(admin, "group-1")).members)).toContain("cid");
  });

  it("moves the group's `updatedOn`", async () => {
    const world = await World.start();
    await world.createGroup("group-1", "ann");
    await world.clock.advance(1_000);

    await world.engine.groups.addMember(as("ann"), "group-1", "cid");

    const document: Json = JSON.parse(await world.engine.groups.get(admin, "group-1"));
    expect(document.updatedOn).toBe(document.createdOn + 1_000);
  });

  it("is refused for somebody who is a member, for a group that nobody created, and for a bad id", async () => {
    const world = await World.start();
    await world.createGroup("group-1", "ann");
    await world.send("eve", "group-2", { text: "hi" });
    const { groups } = world.engine;

    await expect(groups.addMember(as("ann"), "group-1", "ann")).rejects.toMatchObject({
      code: "already_member",
    });
    await expect(groups.addMember(admin, "group-2", "ann")).rejects.toMatchObject({ code: "not_found" });
    await expect(groups.addMember(admin, "group-3", "ann")).rejects.toMatchObject({ code: "not_found" });
    await expect(groups.addMember(admin, "a.b", "ann")).rejects.toMatchObject({ code: "not_found" });
    await expect(groups.addMember(as("ann"), "group-1", "x.y")).rejects.toMatchObject({ code: "invalid_id" });
    expect(world.log("group-1")).toHaveLength(3);
    expect(world.log("group-3")).toHaveLength(0);
  });

  it("twice at the same moment adds once", async () => {
    const world = await World.start();
    await world.createGroup("group-1", "ann");

    const outcomes = await Promise.allSettled(
      [1, 2].map(() => world.engine.groups.addMember(as("ann"), "group-1", "cid")),
    );

    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
    expect(world.log("group-1").filter(({ type }) => type === "member_added")).toHaveLength(1);
  });
});

describe("Two changes of one group at the same moment", () => {
  it("both count: no join is lost", async () => {
    const world = await World.start();
    await world.createGroup("group-1", "ann", "bob");

    await Promise.all([
      world.engine.groups.addMember(as("ann"), "group-1", "cid"),
      world.engine.groups.removeMember(as("bob"), "group-1", "bob"),
      world.engine.groups.addMember(as("ann"), "group-1", "dan"),
    ]);

    expect(JSON.parse(await world.engine.groups.get(admin, "group-1")).members).toEqual({
      ann: 1,
      cid: 1,
      dan: 1,
    });
  });
});

describe("A group's other data", () => {
  it("is renamed for everybody", async () => {
    const world = await World.start();
    const [bob] = await world.people("bob");
    await world.createGroup("group-1", "ann", "bob");
    bob.forget();

    await world.engine.groups.rename(as("ann"), "group-1", "New");

    expect(bob.kinds).toEqual(["event", "group-updated", "message-added"]);
    expect(bob.bodies("message-added")).toMatchObject([
      {
        sender: "system",
        text: "Group renamed to New",
        recipient_fullname: "New",
        attributes: {
          subtype: "info",
          updateconversation: true,
          messagelabel: { key: "DATA_UPDATED_GROUP", parameters: { group_name: "New", updated_by: "ann" } },
        },
      },
    ]);
    expect(bob.bodies("group-updated")).toMatchObject([
      {
        name: "New",
        notification: { messagelabel: { key: "DATA_UPDATED_GROUP", parameters: { group_name: "New" } } },
      },
    ]);
    expect(bob.bodies("event")).toMatchObject([{ type: "group_updated", data: { name: "New" } }]);
    bob.forget();

    await world.engine.groups.rename(as("ann"), "group-1", "New");

    expect(bob.kinds).not.toContain("message-added");
  });

  it("has its attributes replaced for everybody, as they were written", async () => {
    const world = await World.start();
    const [bob] = await world.people("bob");
    await world.createGroup("group-1", "ann", "bob");
    bob.forget();

    await world.engine.groups.setAttributes(as("ann"), "group-1", '{"n": 1.0, "o": {"p": null}}');

    expect(bob.bodies("group-updated")).toMatchObject([
      {
        attributes: { n: 1, o: { p: null } },
        notification: {
          messagelabel: { key: "ATTRIBUTES_UPDATED_GROUP", parameters: { attributes: { n: 1 } } },
        },
      },
    ]);
    expect(await world.engine.groups.get(admin, "group-1")).toContain(
      '"attributes":{"n": 1.0, "o": {"p": null}}',
    );
  });

  it("never keeps the notification of a change", async () => {
    const world = await World.start();
    await world.createGroup("group-1", "ann");

    await world.engine.groups.rename(as("ann"), "group-1", "New");

    expect(JSON.parse(await world.engine.groups.get(admin, "group-1"))).not.toHaveProperty("notification");
  });

  it.each([
    [
      "a member's rename",
      (world: World) => world.engine.groups.rename(as("bob"), "group-1", "X"),
      "forbidden",
    ],
    ["an empty name", (world: World) => world.engine.groups.rename(as("ann"), "group-1", " "), "bad_request"],
    ["an unknown group", (world: World) => world.engine.groups.rename(admin, "group-2", "X"), "not_found"],
    [
      "a member's attributes",
      (world: World) => world.engine.groups.setAttributes(as("bob"), "group-1", "{}"),
      "forbidden",
    ],
    [
      "attributes that are a list",
      (world: World) => world.engine.groups.setAttributes(as("ann"), "group-1", "[]"),
      "bad_request",
    ],
  ])("is not changed by %s", async (_what, change, code) => {
    const world = await World.start();
    await world.createGroup("group-1", "ann", "bob");
    const before = await world.engine.groups.get(admin, "group-1");

    await expect(change(world)).rejects.toMatchObject({ code });

    expect(await world.engine.groups.get(admin, "group-1")).toBe(before);
  });
});
