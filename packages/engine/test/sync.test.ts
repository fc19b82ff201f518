import { limits, syncResponseSchema, validate } from "@chat21/protocol";
import { describe, expect, it } from "vitest";
import { as, type Json, World } from "./world.ts";

interface Request {
  readonly epoch?: string;
  readonly positions?: Record<string, { readonly seq: number; readonly message_id?: string }>;
  readonly limit?: number;
}

/** Answers by conversation. */
async function sync(
  world: World,
  user: string,
  { positions = {}, ...more }: Request = {},
): Promise<Record<string, Json>> {
  const answer: Json = JSON.parse(await world.engine.sync.sync(as(user), { positions, ...more }));
  const { conversations } = validate(syncResponseSchema, answer);
  expect(answer).toMatchObject({ epoch: "epoch-1", now: world.clock.now() });
  return Object.fromEntries(conversations.map((item) => [item.state.conversWith, item]));
}

const seqs = (item: Json): readonly number[] => item.events.map(({ seq }: Json) => seq);

/** Ann has written m1…m<count> to bob; answers their ids, by number. */
async function talk(count: number): Promise<readonly [World, readonly string[]]> {
  const world = await World.start();
  const ids = [""];
  for (let number = 1; number <= count; number++) {
    ids.push((await world.send("ann", "bob", { text: `m${number}` })).messageId);
  }
  return [world, ids];
}

describe("Syncing without a position", () => {
  it("starts afresh with the newest events and what is known of the conversation", async () => {
    const [world] = await talk(3);

    const { ann } = await sync(world, "bob");

    expect(ann).toMatchObject({
      result: "reset",
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
    expect(seqs(ann)).toEqual([1, 2, 3]);
    expect(ann.events[0]).toMatchObject({
      type: "message",
      message: { text: "m1", status: 150, timelineOf: "bob" },
    });
  });

  it("covers no more than it shows", async () => {
    const [world] = await talk(10);

    const { ann } = await sync(world, "bob", { limit: 4 });

    expect(ann).toMatchObject({ result: "reset", covered: [[7, 10]] });
    expect(seqs(ann)).toEqual([7, 8, 9, 10]);
  });

  it("covers everything when all that there is was shown", async () => {
    const [world] = await talk(3);

    const { ann } = await sync(world, "bob", { limit: 4 });

    expect(ann).toMatchObject({ covered: [[1, 3]] });
  });

  it("names all conversations, active and archived, and none of others", async () => {
    const [world] = await talk(1);
    await world.createGroup("group-1", "cid", "bob");
    await world.send("eve", "ann", { text: "not for bob" });
    await world.engine.conversations.archive(as("bob"), "bob", "ann");

    const answer = await sync(world, "bob");

    expect(Object.keys(answer).sort()).toEqual(["ann", "group-1"]);
    expect(answer["ann"]).toMatchObject({ state: { archived: true } });
    expect(answer["group-1"]).toMatchObject({ state: { kind: "group", archived: false } });
    expect(answer["group-1"].state).not.toHaveProperty("counterpart");
  });

  it("says nothing of somebody's conversations who has none", async () => {
    const [world] = await talk(1);

    expect(await sync(world, "eve")).toEqual({});
  });
});

describe("Syncing from a position", () => {
  it("at the end is `same`, with the state and no events", async () => {
    const [world, ids] = await talk(3);

    const { ann } = await sync(world, "bob", {
      epoch: "epoch-1",
      positions: { ann: { seq: 3, message_id: ids[3] ?? "" } },
    });

    expect(ann).toEqual({ result: "same", state: expect.objectContaining({ head: 3 }) });
  });

  it.each([0, 1, 2, 3, 4])("%i of 5 is a delta of all that came after", async (seq) => {
    const [world, ids] = await talk(5);
    const message = seq === 0 ? {} : { message_id: ids[seq] ?? "" };

    const { ann } = await sync(world, "bob", { epoch: "epoch-1", positions: { ann: { seq, ...message } } });

    expect(ann).toMatchObject({ result: "delta", covered: [[seq + 1, 5]] });
    expect(seqs(ann)).toEqual([1, 2, 3, 4, 5].slice(seq));
  });

  it("is a delta without an epoch and without a message's id, too", async () => {
    const [world] = await talk(3);

    expect(await sync(world, "bob", { positions: { ann: { seq: 2 } } })).toMatchObject({
      ann: { result: "delta" },
    });
  });

  it("in another epoch starts afresh", async () => {
    const [world, ids] = await talk(3);

    const { ann } = await sync(world, "bob", {
      epoch: "old",
      positions: { ann: { seq: 3, message_id: ids[3] ?? "" } },
    });

    expect(ann).toMatchObject({ result: "reset", covered: [[1, 3]] });
  });

  it("past the end starts afresh", async () => {
    const [world] = await talk(3);

    expect(await sync(world, "bob", { positions: { ann: { seq: 4 } } })).toMatchObject({
      ann: { result: "reset", covered: [[1, 3]] },
    });
    expect(await sync(world, "bob", { positions: { ann: { seq: Number.MAX_SAFE_INTEGER } } })).toMatchObject({
      ann: { result: "reset" },
    });
  });

  it("with another message at its number starts afresh, at the end and before it", async () => {
    const [world] = await talk(3);

    for (const seq of [1, 2, 3]) {
      const { ann } = await sync(world, "bob", { positions: { ann: { seq, message_id: "foreign" } } });
      expect(ann).toMatchObject({ result: "reset" });
      expect(seqs(ann)).toEqual([1, 2, 3]);
    }
  });

  it("too far behind starts afresh rather than leave a gap", async () => {
    const [world] = await talk(10);

    const far = await sync(world, "bob", { positions: { ann: { seq: 5 } }, limit: 4 });
    const near = await sync(world, "bob", { positions: { ann: { seq: 6 } }, limit: 4 });

    expect(far["ann"]).toMatchObject({ result: "reset", covered: [[7, 10]] });
    expect(near["ann"]).toMatchObject({ result: "delta", covered: [[7, 10]] });
    expect(seqs(near["ann"])).toEqual([7, 8, 9, 10]);
  });

  it("is complete at the largest limit there is", async () => {
    const world = await World.start();
    await Promise.all(Array.from({ length: 1_005 }, (_, n) => world.send("ann", "bob", { text: `m${n}` })));

    for (const seq of [0, 4, 5, 6, 7, 500, 1_004]) {
      const { ann } = await sync(world, "bob", { positions: { ann: { seq } }, limit: 1_000 });
      const [from, to] = ann.covered[0];
      expect(to).toBe(1_005);
      expect(seqs(ann)).toEqual(Array.from({ length: 1_005 - from + 1 }, (_, index) => from + index));
      if (ann.result === "delta") expect(from).toBe(seq + 1);
    }
  });

  it("covers numbers that are hidden, so that nobody asks for them again", async () => {
    const world = await World.start();
    await world.send("ann", "bob", { text: "one" });
    await world.send("ann", "bob", { text: "psst", attributes: { hiddenFor: "bob" } });
    await world.send("ann", "bob", { text: "psst", attributes: { hiddenFor: "bob" } });

    const delta = await sync(world, "bob", { positions: { ann: { seq: 1 } } });
    const same = await sync(world, "bob", { positions: { ann: { seq: 3 } } });

    expect(delta["ann"]).toMatchObject({
      result: "delta",
      covered: [[2, 3]],
      events: [],
      state: { head: 3 },
    });
    expect(same["ann"]).toMatchObject({ result: "same" });
  });

  it("at a hidden number goes on from there", async () => {
    const world = await World.start();
    await world.send("ann", "bob", { text: "psst", attributes: { hiddenFor: "bob" } });
    await world.send("ann", "bob", { text: "two" });

    const { ann } = await sync(world, "bob", { positions: { ann: { seq: 1 } } });

    expect(ann).toMatchObject({ result: "delta", covered: [[2, 2]] });
    expect(seqs(ann)).toEqual([2]);
  });

  it("of a conversation that is not one's own, or is not there, answers nothing", async () => {
    const [world] = await talk(1);
    await world.createGroup("group-1", "ann");

    const answer = await sync(world, "eve", {
      positions: { ann: { seq: 1 }, "group-1": { seq: 1 }, nobody: { seq: 0 } },
    });

    expect(answer).toEqual({});
  });

  it("of a conversation that is in no list answers all the same", async () => {
    const world = await World.start();
    await world.send("ann", "bob", { text: "quiet", attributes: { updateconversation: false } });

    expect(await sync(world, "bob")).toEqual({});
    const { ann } = await sync(world, "bob", { positions: { ann: { seq: 0 } } });
    expect(ann).toMatchObject({ result: "delta", state: { head: 1 } });
    expect(ann.state).not.toHaveProperty("conversation");
  });
});

describe("Syncing a group that one has left", () => {
  it("ends where one left, and is the same from then on", async () => {
    const world = await World.start();
    await world.createGroup("group-1", "ann", "bob");
    await world.engine.groups.removeMember(as("ann"), "group-1", "bob");
    const end = world.log("group-1").findIndex(({ type }) => type === "member_removed") + 1;
    await world.send("ann", "group-1", { text: "after" });

    const fresh = await sync(world, "bob");
    const later = await sync(world, "bob", { positions: { "group-1": { seq: end } } });
    const beyond = await sync(world, "bob", { positions: { "group-1": { seq: end + 1 } } });

    expect(fresh["group-1"]).toMatchObject({ result: "reset", covered: [[1, end]], state: { head: end } });
    expect(fresh["group-1"].events.at(-1)).toMatchObject({
      type: "member_removed",
      data: { member_id: "bob" },
    });
    expect(later["group-1"]).toMatchObject({ result: "same" });
    expect(beyond["group-1"]).toMatchObject({ result: "reset" });
    expect(JSON.stringify([fresh, later, beyond])).not.toContain("after");
  });

  it("and come back to covers what lies between", async () => {
    const world = await World.start();
    await world.createGroup("group-1", "ann", "bob");
    await world.engine.groups.removeMember(as("ann"), "group-1", "bob");
    const end = 5;
    await Promise.all(Array.from({ length: 250 }, (_, n) => world.send("ann", "group-1", { text: `m${n}` })));
    await world.engine.groups.addMember(as("ann"), "group-1", "bob");
    const head = world.log("group-1").length;

    const { "group-1": group } = await sync(world, "bob", {
      positions: { "group-1": { seq: end } },
      limit: 1_000,
    });

    expect(group).toMatchObject({ result: "delta", covered: [[end + 1, head]], state: { head } });
    expect(seqs(group)[0]).toBe(head - 2 - 200 + 1);
    expect(seqs(group).at(-1)).toBe(head);
  });
});

describe("What lies in a covered range", () => {
  it("is the same whatever the way there: by pages, by deltas, or at once", async () => {
    const [world] = await talk(25);
    await world.send("ann", "bob", { text: "psst", attributes: { hiddenFor: "bob" } });
    await world.send("bob", "ann", { text: "last" });

    const atOnce = seqs((await sync(world, "bob", { limit: 1_000 }))["ann"]);
    const stepwise: number[] = [];
    for (let seq = 0; seq < 27; seq++) {
      const { ann } = await sync(world, "bob", { positions: { ann: { seq } }, limit: 1_000 });
      stepwise.push(...seqs(ann).filter((number) => number === seq + 1));
    }

    expect(stepwise).toEqual(atOnce);
    expect(atOnce).toEqual([...Array.from({ length: 25 }, (_, index) => index + 1), 27]);
  });
});

describe("Syncing a whole life", () => {
  /** Bob's conversations with 25 people, 1,000 messages each. */
  async function busyLife(): Promise<World> {
    const world = await World.start();
    for (let peer = 10; peer < 35; peer++) {
      const conversation = `bob.p${peer}`;
      const members = ["bob", `p${peer}`].map((user) => ({
        user,
        role: "member" as const,
        intervals: [[1, null]] as const,
      }));
      const events = Array.from({ length: 1_000 }, (_, index) => ({
        app: "tilechat",
        conversation,
        seq: index + 1,
        type: "message" as const,
        sender: `p${peer}`,
        clientMessageId: null,
        messageId: `${peer}-${index + 1}`,
        timestamp: index + 1,
        committedAt: index + 1,
        body: '{"text":"hi"}',
        tempUid: null,
        hiddenFor: null,
        listed: true,
      }));
      const run = {
        app: "tilechat",
        conversation,
        expectedHead: 0,
        transient: false,
        kind: "direct" as const,
      };
      await world.store.events.commit([{ ...run, events, members }]);
    }
    return world;
  }

  it("answers with so many events in all, an equal share of each, and says what they cover", async () => {
    const world = await busyLife();

    const answers = Object.values(await sync(world, "bob", { limit: 1_000 }));

    expect(answers).toHaveLength(25);
    for (const answer of answers) {
      expect(answer).toMatchObject({ result: "reset", covered: [[201, 1_000]] });
      expect(seqs(answer)).toHaveLength(800);
    }
  });

  it("gives those who lack little in few conversations all of it", async () => {
    const world = await busyLife();
    const positions: Record<string, { seq: number }> = {};
    for (let peer = 10; peer < 35; peer++) positions[`p${peer}`] = { seq: peer < 13 ? 50 : 1_000 };

    const { p10, p34 } = await sync(world, "bob", { positions, limit: 1_000 });

    expect(p10).toMatchObject({ result: "delta", covered: [[51, 1_000]] });
    expect(p34).toMatchObject({ result: "same" });
  });

  it("answers with no more text than it may, the newest of each, and pages bring the rest", async () => {
    const world = await World.start();
    const text = "x".repeat(60_000);
    for (let n = 0; n < 200; n++) await world.send("ann", "bob", { text });
    await world.send("cid", "bob", { text: "short" });
    const { length } = world.log("ann.bob")[0]?.body ?? "";
    const fit = Math.floor(limits.syncCharacters / length);

    const { ann, cid } = await sync(world, "bob", { positions: { ann: { seq: 1 } }, limit: 1_000 });
    const page = JSON.parse(await world.engine.sync.events(as("bob"), "ann", { after: 0, limit: 1_000 }));

    expect(cid).toMatchObject({ result: "reset", covered: [[1, 1]] });
    expect(ann).toMatchObject({ result: "reset", covered: [[ann.events[0].seq, 200]] });
    expect(fit - ann.events.length).toBeLessThanOrEqual(1);
    expect(seqs(ann).at(-1)).toBe(200);
    expect(page).toMatchObject({ head: 200, covered: [[1, fit]] });
    expect(seqs(page)).toHaveLength(fit);
  });
});
