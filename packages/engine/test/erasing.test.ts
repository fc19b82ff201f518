import { describe, expect, it } from "vitest";
import { admin, app, as, type Json, World } from "./world.ts";

/** Ann and bob have written to each other; both are connected. */
async function talk() {
  const world = await World.start();
  await world.send("ann", "bob", { text: "one" });
  await world.send("bob", "ann", { text: "two" });
  const [ann, bob] = await world.people("ann", "bob");
  return { world, ann, bob };
}

describe("Erasing one's own message", () => {
  it("is told to every device of both, with the numbers", async () => {
    const { ann, bob } = await talk();

    await ann.command({ type: "erase", conversWith: "bob", seqs: [1] });

    const event = { type: "erased", seq: 3, sender: "ann", data: { seqs: [[1, 1]] } };
    expect(ann.bodies("event")).toMatchObject([{ ...event, conversWith: "bob" }]);
    expect(bob.bodies("event")).toMatchObject([{ ...event, conversWith: "ann" }]);
    expect(ann.answers).toMatchObject([{ request_id: "r", code: "ok", seq: 3 }]);
  });

  it("removes the text from the store, from history, from lists and from counters", async () => {
    const { world, bob } = await talk();

    await bob.command({ type: "erase", conversWith: "ann", seqs: [2] });

    expect(world.log("ann.bob")[1]).toMatchObject({ type: "message", body: "{}", listed: false });
    expect(await world.textsOf("ann", "bob")).toEqual(["one"]);
    expect(await world.list("ann")).toMatchObject([{ last_message_text: "one" }]);
    const page = JSON.parse(await world.engine.sync.events(as("ann"), "bob", {}));
    expect(page.events[1]).toMatchObject({
      type: "message",
      seq: 2,
      overlay: { version: 3, deleted: { by: "bob", at: expect.any(Number) } },
    });
    expect(page.events[1]).not.toHaveProperty("message");
  });

  it("is a fact for backends", async () => {
    const { world, ann } = await talk();

    await ann.command({ type: "erase", conversWith: "bob", seqs: [1] });

    expect(world.factsOf("event")).toMatchObject([
      { name: "message-deleted", event: { conversation: "ann.bob", seq: 3 }, data: '{"seqs":[[1,1]]}' },
    ]);
  });

  it("with the same request again makes nothing new, and answers the same", async () => {
    const { world, ann } = await talk();
    const command = { type: "erase", conversWith: "bob", seqs: [1], request_id: "once" };

    await ann.command(command);
    await ann.command(command);

    expect(world.log("ann.bob")).toHaveLength(3);
    expect(ann.answers).toMatchObject([
      { code: "ok", seq: 3 },
      { code: "ok", seq: 3 },
    ]);
  });

  it("decides on what an earlier command of the same batch has left", async () => {
    const { world, ann } = await talk();

    await Promise.all([
      ann.command({ type: "erase", conversWith: "bob", seqs: [1], request_id: "a" }),
      ann.command({ type: "erase", conversWith: "bob", seqs: [1], request_id: "b" }),
    ]);

    const answers = Object.fromEntries(ann.answers.map(({ request_id, code }: Json) => [request_id, code]));
    expect(answers).toEqual({ a: "ok", b: "not_found" });
    expect(world.log("ann.bob")).toHaveLength(3);
  });

  it("does not bring a message back that its sender repeats", async () => {
    const { world, ann } = await talk();
    const message = { text: "once", client_message_id: "k" };
    await world.send("ann", "bob", message);
    await ann.command({ type: "erase", conversWith: "bob", seqs: [3] });

    await expect(world.send("ann", "bob", message)).rejects.toMatchObject({ code: "idempotency_conflict" });
    expect(await world.textsOf("bob", "ann")).toEqual(["one", "two"]);
  });

  it.each<[string, string, Json, string]>([
    ["of the other", "ann", { conversWith: "bob", seqs: [2] }, "forbidden"],
    ["one's own and one of the other", "ann", { conversWith: "bob", seqs: [1, 2] }, "forbidden"],
    ["that is not there", "ann", { conversWith: "bob", seqs: [9] }, "not_found"],
    ["of strangers", "eve", { conversWith: "bob", seqs: [1] }, "not_member"],
    ["without a number", "ann", { conversWith: "bob", seqs: [] }, "bad_request"],
    ["with a number that is none", "ann", { conversWith: "bob", seqs: [0] }, "bad_request"],
    [
      "with too many",
      "ann",
      { conversWith: "bob", seqs: Array.from({ length: 101 }, () => 1) },
      "bad_request",
    ],
    ["with nobody", "ann", { conversWith: "", seqs: [1] }, "bad_request"],
  ])("%s is refused, and nothing changes", async (_, user, command, code) => {
    const { world } = await talk();
    const [device] = await world.people(user);

    await device.command({ type: "erase", ...command });

    expect(device.answers).toMatchObject([{ request_id: "r", code }]);
    expect(world.log("ann.bob")).toHaveLength(2);
  });
});

describe("Erasing in a group", () => {
  /** Ann's group with bob; cid has left it. */
  async function group() {
    const world = await World.start();
    await world.createGroup("group-1", "ann", "bob", "cid");
    const { seq } = await world.send("bob", "group-1", { text: "secret" });
    await world.engine.groups.removeMember(as("cid"), "group-1", "cid");
    const [ann, bob, cid] = await world.people("ann", "bob", "cid");
    return { world, seq, ann, bob, cid };
  }

  it("is the owner's right, and the sender's, and nobody else's", async () => {
    const { world, seq, ann, bob } = await group();
    const { seq: owners } = await world.send("ann", "group-1", { text: "mine" });

    await bob.command({ type: "erase", conversWith: "group-1", seqs: [owners] });
    await ann.command({ type: "erase", conversWith: "group-1", seqs: [seq] });

    expect(bob.answers).toMatchObject([{ code: "forbidden" }]);
    expect(ann.answers).toMatchObject([{ code: "ok" }]);
  });

  it("is told live to somebody who saw the message and has left since", async () => {
    const { seq, ann, cid } = await group();

    await ann.command({ type: "erase", conversWith: "group-1", seqs: [seq] });

    expect(cid.bodies("event")).toMatchObject([{ type: "erased", data: { seqs: [[seq, seq]] } }]);
  });

  it("does not take a group's events for messages", async () => {
    const { ann } = await group();

    await ann.command({ type: "erase", conversWith: "group-1", seqs: [1] });

    expect(ann.answers).toMatchObject([{ code: "not_found" }]);
  });
});

describe("Erasing everything", () => {
  it("of a conversation with 1,200 messages takes a few events, and names each message once", async () => {
    const world = await World.start();
    await Promise.all(Array.from({ length: 1_200 }, (_, n) => world.send("ann", "bob", { text: `m${n}` })));

    expect(await world.engine.messages.erase(admin, "ann")).toBe(1_200);

    const erased = world.log("ann.bob").slice(1_200);
    const ranges = erased.flatMap(({ body }) => (JSON.parse(body) as { seqs: [number, number][] }).seqs);
    expect(erased.length).toBeLessThan(10);
    expect(ranges.reduce((sum, [from, to]) => sum + to - from + 1, 0)).toBe(1_200);
    expect(await world.engine.messages.erase(admin, "ann")).toBe(0);
  });

  it("that one person wrote leaves what others wrote, in every conversation", async () => {
    const { world } = await talk();
    await world.createGroup("group-1", "cid", "ann");
    await world.send("ann", "group-1", { text: "three" });

    expect(await world.engine.messages.eraseSender(admin, "ann")).toBe(2);

    expect(await world.textsOf("bob", "ann")).toEqual(["two"]);
    expect((await world.textsOf("cid", "group-1")).includes("three")).toBe(false);
  });

  it("is for admins alone", async () => {
    const { world } = await talk();

    await expect(world.engine.messages.eraseSender(as("ann"), "ann")).rejects.toMatchObject({
      code: "forbidden",
    });
    await expect(
      world.engine.messages.erase({ app, user: "ann", admin: false }, "bob"),
    ).rejects.toMatchObject({
      code: "forbidden",
    });
  });
});
