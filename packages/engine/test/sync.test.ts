import { limits, syncResponseSchema, validate } from "@chat21/protocol";
import { describe, expect, it } from "vitest";
import { app, as, type Json, World } from "./world.ts";

interface Request {
  readonly cursor?: string;
  readonly limit?: number;
}

/** One page of an answer: its items by conversation, in their order. */
async function page(world: World, user: string, request: Request = {}) {
  const text = await world.engine.sync.sync(as(user), request);
  const answer = validate(syncResponseSchema, JSON.parse(text));
  expect(answer).toMatchObject({ epoch: "epoch-1", now: world.clock.now() });
  const items: Record<string, Json> = {};
  for (const item of answer.conversations) items[item.state.conversWith] = item;
  return { ...answer, items, bytes: Buffer.byteLength(text) };
}

const seqs = (item: Json): readonly number[] => item.events.map(({ seq }: Json) => seq);

/** Ann has written m1…m<count> to bob. */
async function talk(count: number): Promise<World> {
  const world = await World.start();
  for (let number = 1; number <= count; number++) await world.send("ann", "bob", { text: `m${number}` });
  return world;
}

describe("Syncing without a cursor", () => {
  it("tells the time from before it read, so that a message of meanwhile is younger", async () => {
    const world = await talk(1);
    const begun = world.clock.now();
    world.atStore = () => world.clock.advance(1_000);

    const answer = validate(syncResponseSchema, JSON.parse(await world.engine.sync.sync(as("bob"), {})));

    expect(world.clock.now()).toBeGreaterThan(begun);
    expect(answer.now).toBe(begun);
  });

  it("answers every conversation with its state and its newest events", async () => {
    const world = await talk(3);

    const { items, more, reset } = await page(world, "bob");

    expect({ more, reset }).toEqual({ more: false, reset: undefined });
    expect(items["ann"]).toMatchObject({
      covered: [[1, 3]],
      state: {
        conversWith: "ann",
        kind: "direct",
        head: 3,
        unread: 3,
        delivered: 0,
        read: 0,
        archived: false,
        counterpart: { delivered: 0, read: 0 },
        conversation: { conversWith: "ann", last_message_text: "m3", is_new: true },
      },
    });
    expect(seqs(items["ann"])).toEqual([1, 2, 3]);
    expect(items["ann"].events[0]).toMatchObject({
      type: "message",
      message: { text: "m1", status: 150, timelineOf: "bob" },
    });
  });

  it("covers no more than it shows, and says that there is more behind", async () => {
    const world = await talk(10);

    const { items } = await page(world, "bob", { limit: 4 });

    expect(items["ann"]).toMatchObject({ covered: [[7, 10]], behind: true });
    expect(seqs(items["ann"])).toEqual([7, 8, 9, 10]);
  });

  it("with a limit of 0 answers states alone", async () => {
    const world = await talk(3);

    const { items } = await page(world, "bob", { limit: 0 });

    expect(items["ann"]).toMatchObject({ covered: [], events: [], state: { head: 3, unread: 3 } });
  });

  it("names all conversations, active and archived, and none of others", async () => {
    const world = await talk(1);
    await world.createGroup("group-1", "cid", "bob");
    await world.send("eve", "ann", { text: "not for bob" });
    await world.engine.conversations.archive(as("bob"), "bob", "ann");

    const { items } = await page(world, "bob");

    expect(Object.keys(items).sort()).toEqual(["ann", "group-1"]);
    expect(items["ann"]).toMatchObject({ state: { archived: true } });
    expect(items["group-1"]).toMatchObject({ state: { kind: "group", archived: false } });
    expect(items["group-1"].state).not.toHaveProperty("counterpart");
  });

  it("says nothing of somebody's conversations who has none", async () => {
    const world = await talk(1);

    expect((await page(world, "eve")).conversations).toEqual([]);
  });

  it("goes on page by page until everything was told once, the newest change first", async () => {
    const world = await World.start();
    const text = "\u{20AC}".repeat(20_000);
    for (let n = 0; n < 150; n++) await world.send(`p${n}`, "bob", { text });

    const told: string[] = [];
    let answer = await page(world, "bob");
    let pages = 1;
    for (; ; pages++) {
      expect(answer.bytes).toBeLessThan(limits.answerBytes);
      told.push(...answer.conversations.map(({ state }) => state.conversWith));
      if (!answer.more) break;
      answer = await page(world, "bob", { cursor: answer.cursor });
    }

    expect(pages).toBeGreaterThan(1);
    expect(told).toEqual(Array.from({ length: 150 }, (_, n) => `p${149 - n}`));
    expect((await page(world, "bob", { cursor: answer.cursor })).conversations).toEqual([]);
  });
});

describe("Syncing with a cursor", () => {
  it("answers at most 200 bytes when nothing changed", async () => {
    const world = await talk(3);
    const { cursor } = await page(world, "bob");

    const again = await page(world, "bob", { cursor });

    expect(again).toMatchObject({ conversations: [], more: false });
    expect(again.bytes).toBeLessThanOrEqual(200);
  });

  it("answers the conversations with new events, with those alone", async () => {
    const world = await talk(3);
    await world.send("cid", "bob", { text: "from cid" });
    const { cursor } = await page(world, "bob");
    await world.send("ann", "bob", { text: "m4" });
    await world.send("ann", "bob", { text: "m5" });

    const { items } = await page(world, "bob", { cursor });

    expect(Object.keys(items)).toEqual(["ann"]);
    expect(items["ann"]).toMatchObject({ covered: [[4, 5]], state: { head: 5, unread: 5 } });
    expect(seqs(items["ann"])).toEqual([4, 5]);
    expect(items["ann"].behind).toBeUndefined();
  });

  it("covers hidden numbers, so that nobody asks for them again", async () => {
    const world = await World.start();
    await world.createGroup("group-1", "ann", "bob");
    const { length: begun } = world.log("group-1");
    const { cursor } = await page(world, "bob");
    await world.send("ann", "group-1", { text: "psst", attributes: { hiddenFor: "bob" } });
    await world.send("ann", "group-1", { text: "psst", attributes: { hiddenFor: "bob" } });
    await world.send("ann", "group-1", { text: "last" });

    const { items } = await page(world, "bob", { cursor });

    const [[from, to]] = items["group-1"].covered;
    expect([from <= begun + 1, to]).toEqual([true, begun + 3]);
    expect(seqs(items["group-1"]).filter((seq) => seq > begun)).toEqual([begun + 3]);
  });

  it("tells a second device of marks, of archiving, and of being marked unread", async () => {
    const world = await talk(3);
    const { conversations } = world.engine;
    const [bob] = await world.people("bob");
    let { cursor } = await page(world, "bob");
    const stateNow = async () => {
      const answer = await page(world, "bob", { cursor });
      cursor = answer.cursor;
      return answer.items["ann"]?.state;
    };

    await conversations.moveWatermarks(as("bob"), "bob", { conversWith: "ann", read: 2 });
    expect(await stateNow()).toMatchObject({ read: 2, unread: 1 });
    await conversations.archive(as("bob"), "bob", "ann");
    expect(await stateNow()).toMatchObject({ archived: true });
    await bob.update("ann", { is_new: true });
    expect(await stateNow()).toMatchObject({ conversation: { is_new: true } });
    expect(await stateNow()).toBeUndefined();
  });

  it("tells the writer that the other has read", async () => {
    const world = await talk(2);
    const { cursor } = await page(world, "ann");

    await world.engine.conversations.moveWatermarks(as("bob"), "bob", { conversWith: "ann", read: 2 });

    const { items } = await page(world, "ann", { cursor });
    expect(items["bob"]).toMatchObject({ state: { counterpart: { delivered: 2, read: 2 } } });
  });

  it("leaves out the document of a conversation that was cleared", async () => {
    const world = await talk(2);
    const { cursor } = await page(world, "bob");

    await world.engine.conversations.clear({ app, user: "backend", admin: true }, "ann");

    const { items } = await page(world, "bob", { cursor });
    expect(items["ann"].state).not.toHaveProperty("conversation");
  });

  it("tells of an erasure, and shows the message without its text from then on", async () => {
    const world = await talk(3);
    const { cursor } = await page(world, "bob");

    await world.engine.messages.erase({ app, user: "backend", admin: true }, "ann");

    const { items } = await page(world, "bob", { cursor });
    const deleted = { by: "backend", at: expect.any(Number) };
    expect(items["ann"].events.at(-1)).toMatchObject({ type: "erased", seq: 4, data: { seqs: [[1, 3]] } });
    const fresh = await page(world, "bob");
    expect(fresh.items["ann"].events[0]).toMatchObject({
      type: "message",
      seq: 1,
      overlay: { version: 4, deleted },
    });
    expect(JSON.stringify(fresh.conversations)).not.toContain("m1");
  });

  it("of another epoch begins anew, and says so", async () => {
    const world = await talk(3);
    const { cursor } = await page(world, "bob");

    const answered = await page(world, "bob", { cursor: changed(cursor, 2, "00000000") });

    expect(answered).toMatchObject({ reset: true, more: false });
    expect(seqs(answered.items["ann"])).toEqual([1, 2, 3]);
  });

  it.each<[string, (cursor: string) => string]>([
    ["no cursor at all", () => "abc"],
    ["of nothing", () => ""],
    ["without a place", (cursor) => cursor.split(".").slice(0, 2).join(".")],
    ["of a newer version", (cursor) => changed(cursor, 0, "2")],
    ["of another owner", (cursor) => changed(cursor, 1, "00000000")],
    ["with an epoch that is none", (cursor) => changed(cursor, 2, "epoch")],
    ["with another place", (cursor) => changed(cursor, 3, "from-nowhere")],
    ["that is longer than any", () => `1.00000000.${"a".repeat(100_000)}`],
  ])("that is %s is refused", async (_, change) => {
    const world = await talk(1);
    const { cursor } = await page(world, "bob");

    await expect(world.engine.sync.sync(as("bob"), { cursor: change(cursor) })).rejects.toMatchObject({
      code: "invalid_cursor",
    });
  });

  it("of another user, app or request is refused", async () => {
    const world = await talk(1);
    const { cursor } = await page(world, "bob");
    const list = world.engine.conversations.list(as("bob"), "bob", false, { cursor });

    await expect(world.engine.sync.sync(as("ann"), { cursor })).rejects.toMatchObject({
      code: "invalid_cursor",
    });
    await expect(
      world.engine.sync.sync({ app: "other", user: "bob", admin: false }, { cursor }),
    ).rejects.toMatchObject({ code: "invalid_cursor" });
    await expect(list.next()).rejects.toMatchObject({ code: "invalid_cursor" });
  });
});

function changed(cursor: string, index: number, value: string): string {
  return cursor.split(".").with(index, value).join(".");
}

describe("Syncing a group that one has left", () => {
  it("ends where one left, and changes no more", async () => {
    const world = await World.start();
    await world.createGroup("group-1", "ann", "bob");
    await world.engine.groups.removeMember(as("ann"), "group-1", "bob");
    const end = world.log("group-1").findIndex(({ type }) => type === "member_removed") + 1;
    const { items, cursor } = await page(world, "bob");
    await world.send("ann", "group-1", { text: "after" });

    const later = await page(world, "bob", { cursor });

    expect(items["group-1"]).toMatchObject({ covered: [[1, end]], state: { head: end } });
    expect(items["group-1"].events.at(-1)).toMatchObject({
      type: "member_removed",
      data: { member_id: "bob" },
    });
    expect(later.conversations).toEqual([]);
  });

  it("and come back to covers what lies between", async () => {
    const world = await World.start();
    await world.createGroup("group-1", "ann", "bob");
    await world.engine.groups.removeMember(as("ann"), "group-1", "bob");
    const { cursor } = await page(world, "bob");
    await Promise.all(Array.from({ length: 250 }, (_, n) => world.send("ann", "group-1", { text: `m${n}` })));
    await world.engine.groups.addMember(as("ann"), "group-1", "bob");
    const head = world.log("group-1").length;

    const { items } = await page(world, "bob", { cursor, limit: 1_000 });

    const group = items["group-1"];
    expect(group).toMatchObject({ state: { head } });
    expect(group.covered[0][1]).toBe(head);
    const since = seqs(group).filter((seq) => seq > 5);
    expect([since[0], since.at(-1)]).toEqual([head - 2 - 200 + 1, head]);
  });
});

describe("A page of events", () => {
  it("covers hidden numbers and what lies in between, in whatever steps it is read", async () => {
    const world = await World.start();
    await world.createGroup("group-1", "ann", "bob");
    while (world.log("group-1").length < 25) await world.send("ann", "group-1", { text: "x" });
    await world.send("ann", "group-1", { text: "psst", attributes: { hiddenFor: "bob" } });
    await world.send("bob", "group-1", { text: "last" });
    const read = async (range: { after: number; limit: number }): Promise<Json> =>
      JSON.parse(await world.engine.sync.events(as("bob"), "group-1", range));

    const atOnce = seqs(await read({ after: 0, limit: 1_000 }));
    const stepwise: number[] = [];
    for (let after = 0; after < 27; ) {
      const answer = await read({ after, limit: 4 });
      stepwise.push(...seqs(answer));
      expect(answer.covered[0][0]).toBe(after + 1);
      after = answer.covered[0][1];
    }

    expect(stepwise).toEqual(atOnce);
    expect(atOnce).toEqual([...Array.from({ length: 25 }, (_, index) => index + 1), 27]);
  });

  it("holds no more text than an answer may, and says what it covers", async () => {
    const world = await World.start();
    const text = "x".repeat(60_000);
    for (let n = 0; n < 100; n++) await world.send("ann", "bob", { text });
    const { length } = world.log("ann.bob")[0]?.body ?? "";
    const fit = Math.floor(limits.answerBytes / 3 / length);

    const answer = JSON.parse(await world.engine.sync.events(as("bob"), "ann", { after: 0, limit: 1_000 }));

    expect(answer).toMatchObject({ head: 100, covered: [[1, fit]] });
    expect(seqs(answer)).toHaveLength(fit);
  });
});
