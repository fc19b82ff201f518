import { groupSchema, limits, validate } from "@chat21/protocol";
import { describe, expect, it } from "vitest";
import { admin, as, type Json, supportGroup, World } from "./world.ts";

const contacts = {
  lookup: async (_app: string, users: readonly string[]) =>
    users.map((user) => ({ fullname: `${user} Fox`, firstname: user.toUpperCase(), lastname: "Fox" })),
};

describe("Creating a group", () => {
  it("answers with its document", async () => {
    const world = await World.start();

    const document = await world.engine.groups.create(as("ann"), {
      id: "group-1",
      name: 'The "Team"',
      members: ["bob"],
      attributes: '{"a": 1.0}',
    });

    const now = world.clock.now();
    expect(document).toBe(
      `{"uid":"group-1","name":"The \\"Team\\"","appId":"tilechat","owner":"ann","members":{"bob":1,"ann":1},` +
        `"createdOn":${now},"updatedOn":${now},"attributes":{"a": 1.0}}`,
    );
    expect(validate(groupSchema, JSON.parse(document))).toBeTruthy();
  });

  it("makes the members hear of it: created, then everybody who joined, from `system`", async () => {
    const world = await World.start({ contacts });
    const [ann, bob] = await world.people("ann", "bob");

    await world.createGroup("group-1", "ann", "bob");

    const label = (key: string, parameters: object) => ({
      attributes: { subtype: "info", updateconversation: true, messagelabel: { key, parameters } },
    });
    const joined = (id: string) =>
      label("MEMBER_JOINED_GROUP", {
        member_id: id,
        fullname: `${id} Fox`,
        firstname: id.toUpperCase(),
        lastname: "Fox",
      });
    for (const person of [ann, bob]) {
      expect(person.messages("group-1")).toMatchObject([
        { text: "Group created", ...label("GROUP_CREATED", { creator: "ann" }) },
        { text: "ann Fox joined group on creation", ...joined("ann") },
        { text: "bob Fox joined group on creation", ...joined("bob") },
      ]);
      for (const message of person.messages()) {
        expect(message).toMatchObject({
          sender: "system",
          sender_fullname: "System",
          recipient: "group-1",
          status: 150,
        });
        expect(message).toMatchObject({ recipient_fullname: "Team", channel_type: "group", type: "text" });
      }
      expect(person.bodies("event")).toMatchObject([
        { type: "group_created", seq: 1, data: { name: "Team", owner: "ann" } },
      ]);
      expect(person.bodies("group-updated")).toEqual([]);
    }
  });

  it("calls somebody unknown by the id", async () => {
    const world = await World.start();

    await world.createGroup("group-1", "ann");

    expect((await world.textsOf("ann", "group-1")).at(-1)).toBe("ann joined group on creation");
  });

  it("lets the first members see everything from the beginning", async () => {
    const world = await World.start();

    await world.createGroup("group-1", "ann", "bob");

    expect((await world.history("bob", "group-1")).map(({ seq }) => seq)).toEqual([2, 3, 4]);
  });

  it("makes an id of its own when none is given", async () => {
    const world = await World.start();

    const document: Json = JSON.parse(
      await world.engine.groups.create(as("ann"), { name: "T", members: [] }),
    );

    expect(document.uid).toMatch(/^group-.+/);
    expect(document.members).toEqual({ ann: 1 });
  });

  it.each([
    ["a user", as("eve")],
    ["an admin", admin],
  ])("refuses an id that could be a user's, from %s", async (_who, actor) => {
    const world = await World.start();
    await world.send("ann", "bob", { text: "hi" });

    const posing = world.engine.groups.create(actor, { id: "bob", name: "T", members: ["ann"] });

    await expect(posing).rejects.toMatchObject({ code: "invalid_id" });
    expect(world.log("bob")).toEqual([]);
  });

  it("adds the creator unless it is an admin, who may name another owner", async () => {
    const world = await World.start();

    const document: Json = JSON.parse(
      await world.engine.groups.create(admin, {
        id: "group-1",
        name: "T",
        members: ["ann", "system"],
        owner: "ann",
      }),
    );

    expect(document).toMatchObject({ owner: "ann", members: { ann: 1, system: 1 } });
    await expect(
      world.engine.groups.create(as("eve"), { id: "group-2", name: "T", members: [], owner: "ann" }),
    ).rejects.toMatchObject({ code: "forbidden" });
  });

  it("takes a member once who is named twice, and never the group itself", async () => {
    const world = await World.start();

    const document: Json = JSON.parse(
      await world.engine.groups.create(as("ann"), {
        id: "group-1",
        name: "T",
        members: ["bob", "ann", "bob", "group-1"],
      }),
    );

    expect(document.members).toEqual({ bob: 1, ann: 1 });
    expect(await world.textsOf("ann", "group-1")).toHaveLength(3);
  });

  it("spares a large group the message about every single member", async () => {
    const world = await World.start();
    const members = Array.from({ length: 250 }, (_, index) => `u${index}`);

    await world.createGroup("group-1", "ann", ...members);

    expect(world.log("group-1").map(({ type }) => type)).toEqual(["group_created", "message"]);
    expect(
      Object.keys(JSON.parse(await world.engine.groups.get(as("u249"), "group-1")).members),
    ).toHaveLength(251);
  });
});

describe("Creating a group that exists", () => {
  it("is the same answer again for the same data by its owner or an admin, and no second event", async () => {
    const world = await World.start();
    const request = {
      id: supportGroup,
      name: "T",
      members: ["ann", "bob"],
      owner: "ann",
      attributes: '{"a":1}',
    };
    const first = await world.engine.groups.create(as("ann"), request);
    const head = world.log(supportGroup).length;
    await world.clock.advance(5_000);

    expect(await world.engine.groups.create(as("ann"), request)).toBe(first);
    expect(await world.engine.groups.create(admin, request)).toBe(first);
    expect(world.log(supportGroup)).toHaveLength(head);
  });

  it.each([
    ["another name", { name: "Other" }, "ann"],
    ["other members", { members: ["ann", "eve"] }, "ann"],
    ["fewer members", { members: ["ann"] }, "ann"],
    ["other attributes", { attributes: '{"a":2}' }, "ann"],
    ["the same data by another member", {}, "bob"],
    ["the same data by a stranger", {}, "eve"],
  ])("is refused with %s", async (_what, change, creator) => {
    const world = await World.start();
    const request = { id: "group-1", name: "T", members: ["ann", "bob"], attributes: '{"a":1}' };
    const before = await world.engine.groups.create(as("ann"), request);

    const again = world.engine.groups.create(as(creator), { ...request, ...change });

    await expect(again).rejects.toMatchObject({ code: "conflict" });
    expect(JSON.parse(await world.engine.groups.get(as("ann"), "group-1"))).toMatchObject(JSON.parse(before));
  });

  it("at the same moment by two makes one group: one succeeds, the other is refused", async () => {
    const world = await World.start();

    const outcomes = await Promise.allSettled(
      ["ann", "eve"].map((owner) =>
        world.engine.groups.create(as(owner), { id: "group-1", name: "T", members: [] }),
      ),
    );

    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
    expect(JSON.parse(await world.engine.groups.get(admin, "group-1"))).toMatchObject({ owner: "ann" });
  });
});

describe("Creating a group is refused, and nothing is stored,", () => {
  it.each([
    ["without a name", { name: "" }, "bad_request"],
    ["with blanks for a name", { name: "  " }, "bad_request"],
    ["with a name of more than 512 bytes", { name: "é".repeat(257) }, "bad_request"],
    ["with an id outside the alphabet", { id: "group-a.b" }, "invalid_id"],
    ["with an empty id", { id: "" }, "invalid_id"],
    ["with an id of 129 bytes", { id: "g".repeat(129) }, "invalid_id"],
    ["with a member outside the alphabet", { members: ["a/b"] }, "invalid_id"],
    ["with a member called __proto__", { members: ["__proto__"] }, "invalid_id"],
    ["with an empty member", { members: [""] }, "invalid_id"],
    ["with attributes that are no JSON", { attributes: "{" }, "bad_request"],
    ["with attributes that are no object", { attributes: "[]" }, "bad_request"],
    [
      "with attributes nested too deeply",
      { attributes: `${'{"a":'.repeat(40)}1${"}".repeat(40)}` },
      "bad_request",
    ],
    [
      "with attributes of more than 100 KiB",
      { attributes: JSON.stringify({ a: "x".repeat(limits.payloadBytes) }) },
      "payload_too_large",
    ],
    [
      "with more than 10,000 members",
      { members: Array.from({ length: 10_000 }, (_, n) => `u${n}`) },
      "bad_request",
    ],
    ["with ids too long for a broker", { id: "g".repeat(128), members: ["u".repeat(64)] }, "invalid_id"],
  ])("%s", async (_what, change, code) => {
    const world = await World.start();

    const creating = world.engine.groups.create(as("ann"), {
      id: "group-1",
      name: "T",
      members: [],
      ...change,
    });

    await expect(creating).rejects.toMatchObject({ code });
    expect(world.disk.conversations.size).toBe(0);
  });
});

describe("A group's document", () => {
  it("is for members and admins", async () => {
    const world = await World.start();
    await world.createGroup("group-1", "ann", "bob");

    expect(JSON.parse(await world.engine.groups.get(as("bob"), "group-1"))).toMatchObject({ uid: "group-1" });
    expect(JSON.parse(await world.engine.groups.get(admin, "group-1"))._id).toMatch(/^[0-9a-f]{24}$/);
    await expect(world.engine.groups.get(as("eve"), "group-1")).rejects.toMatchObject({ code: "not_member" });
  });

  it.each(["group-2", "nobody", "a.b", "", "ann"])("is not found for %j", async (id) => {
    const world = await World.start();
    await world.send("ann", "bob", { text: "x" });

    await expect(world.engine.groups.get(admin, id)).rejects.toMatchObject({ code: "not_found" });
  });
});
