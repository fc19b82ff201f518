import { historyResponseSchema, validate } from "@chat21/protocol";
import { describe, expect, it } from "vitest";
import type { Page } from "../src/index.ts";
import { admin, allOf, as, type Json, World } from "./world.ts";

/** Ann has written m1…m<count> to bob. */
async function talk(count: number): Promise<World> {
  const world = await World.start();
  const numbers = Array.from({ length: count }, (_, index) => index + 1);
  await Promise.all(numbers.map((number) => world.send("ann", "bob", { text: `m${number}` })));
  return world;
}

async function numbersOf(world: World, page: Page): Promise<readonly number[]> {
  const texts = await allOf(world.engine.messages.list(as("bob"), "bob", "ann", page));
  return texts.map((text) => JSON.parse(text).seq);
}

async function eventsOf(world: World, user: string, conversWith: string, page: Page): Promise<Json> {
  return validate(
    historyResponseSchema,
    JSON.parse(await world.engine.sync.events(as(user), conversWith, page)),
  );
}

describe("Messages of a conversation", () => {
  it("come newest first, with the names under which their reader knows them", async () => {
    const world = await talk(2);

    const [newest = "", oldest = ""] = await allOf(world.engine.messages.list(as("bob"), "bob", "ann", {}));

    expect(JSON.parse(newest)).toEqual({
      text: "m2",
      message_id: expect.any(String),
      sender: "ann",
      recipient: "bob",
      app_id: "tilechat",
      timestamp: expect.any(Number),
      seq: 2,
      epoch: "epoch-1",
      status: 150,
      timelineOf: "bob",
      conversWith: "ann",
      _id: expect.stringMatching(/^[0-9a-f]{24}$/),
    });
    expect(JSON.parse(oldest)).toMatchObject({ text: "m1", seq: 1 });
  });

  it("are 200 unless more are asked for, at most 1,000", async () => {
    const world = await talk(1_100);

    expect(await numbersOf(world, {})).toHaveLength(200);
    expect(await numbersOf(world, { limit: 5_000 })).toHaveLength(1_000);
    expect(await numbersOf(world, { limit: 0 })).toEqual([1_100]);
    expect(await numbersOf(world, { limit: -5 })).toEqual([1_100]);
  });

  it.each<[Page, readonly number[]]>([
    [{ limit: 3 }, [10, 9, 8]],
    [{ before: 8, limit: 3 }, [7, 6, 5]],
    [{ before: 2 }, [1]],
    [{ before: 1 }, []],
    [{ after: 3, limit: 3 }, [6, 5, 4]],
    [{ after: 9 }, [10]],
    [{ after: 10 }, []],
    [{ after: 99 }, []],
    [{ before: 99, limit: 2 }, [10, 9]],
    [{ after: 2, before: 6, limit: 2 }, [5, 4]],
    [{ after: 6, before: 6 }, []],
  ])("in the page %j are %j", async (page, expected) => {
    expect(await numbersOf(await talk(10), page)).toEqual(expected);
  });

  it("can be walked through from the newest to the first without a gap or a repeat", async () => {
    const world = await talk(57);
    const seen: number[] = [];

    for (let before = 1_000; ; ) {
      const page = await numbersOf(world, { before, limit: 10 });
      if (page.length === 0) break;
      seen.push(...page);
      before = page.at(-1) ?? 0;
    }

    expect(seen).toEqual(Array.from({ length: 57 }, (_, index) => 57 - index));
  });

  it("leave out events that are no messages", async () => {
    const world = await World.start();
    await world.createGroup("group-1", "ann", "bob");
    await world.engine.groups.rename(as("ann"), "group-1", "New");

    expect((await world.history("bob", "group-1")).map(({ seq }) => seq)).toEqual([2, 3, 4, 6]);
  });

  it("have a state that follows the watermarks of both", async () => {
    const world = await talk(2);
    await world.send("bob", "ann", { text: "answer" });
    await world.engine.conversations.moveWatermarks(as("bob"), "bob", { conversWith: "ann", delivered: 1 });

    expect((await world.history("ann", "bob")).map(({ status }) => status)).toEqual([250, 100, 150]);
    expect((await world.history("bob", "ann")).map(({ status }) => status)).toEqual([200, 150, 100]);
  });

  it("in a group are delivered, whoever reads", async () => {
    const world = await World.start();
    await world.createGroup("group-1", "ann", "bob");
    await world.engine.conversations.moveWatermarks(as("bob"), "bob", { conversWith: "group-1", read: 9 });

    expect((await world.history("ann", "group-1")).map(({ status }) => status)).toEqual([150, 150, 150]);
  });
});

describe("Events of a conversation", () => {
  it.each<[Page, readonly number[], readonly number[][]]>([
    [{}, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], [[1, 10]]],
    [{ limit: 3 }, [8, 9, 10], [[8, 10]]],
    [{ before: 8, limit: 3 }, [5, 6, 7], [[5, 7]]],
    [{ before: 3, limit: 3 }, [1, 2], [[1, 2]]],
    [{ before: 1 }, [], []],
    [{ after: 7, limit: 2 }, [8, 9], [[8, 9]]],
    [{ after: 7 }, [8, 9, 10], [[8, 10]]],
    [{ after: 10 }, [], []],
    [{ after: 50 }, [], []],
    [{ before: 50, limit: 1 }, [10], [[10, 10]]],
    [{ after: 3, before: 6 }, [4, 5], [[4, 5]]],
    [{ after: 3, before: 9, limit: 2 }, [7, 8], [[7, 8]]],
  ])("in the page %j are %j and cover %j", async (page, expected, covered) => {
    const world = await talk(10);

    const answer = await eventsOf(world, "bob", "ann", page);

    expect(answer.events.map(({ seq }: Json) => seq)).toEqual(expected);
    expect(answer).toMatchObject({ head: 10, epoch: "epoch-1", covered });
  });

  it("hold messages and all else, oldest first", async () => {
    const world = await World.start();
    await world.createGroup("group-1", "ann");
    await world.engine.groups.addMember(as("ann"), "group-1", "bob");

    const { events } = await eventsOf(world, "bob", "group-1", {});

    expect(events.map(({ type }: Json) => type)).toEqual([
      "group_created",
      "message",
      "message",
      "member_added",
      "message",
    ]);
    expect(events[0]).toMatchObject({
      conversWith: "group-1",
      seq: 1,
      sender: "ann",
      data: { name: "Team", owner: "ann" },
    });
    expect(events[0].data).toEqual({ name: "Team", owner: "ann" });
    expect(events[3].data).toEqual({ member_id: "bob" });
    expect(events[4]).toMatchObject({ message: { text: "bob added to group", timelineOf: "bob", seq: 5 } });
  });

  it("cover what is hidden and what was before one joined, without showing it", async () => {
    const world = await World.start();
    await world.createGroup("group-1", "ann");
    await Promise.all(Array.from({ length: 300 }, (_, n) => world.send("ann", "group-1", { text: `m${n}` })));
    await world.engine.groups.addMember(as("ann"), "group-1", "bob");
    await world.send("ann", "group-1", { text: "psst", attributes: { hiddenFor: "bob" } });

    const all = await eventsOf(world, "bob", "group-1", { limit: 1_000 });
    const early = await eventsOf(world, "bob", "group-1", { before: 50, limit: 10 });

    expect(all.head).toBe(306);
    expect(all.covered).toEqual([[1, 306]]);
    expect(all.events[0].seq).toBe(303 - 200 + 1);
    expect(all.events.at(-1)).toMatchObject({ seq: 305 });
    expect(early).toMatchObject({ events: [], covered: [[1, 49]] });
  });

  it("are not found for a stranger, not even for an admin, who reads for itself", async () => {
    const world = await talk(1);

    for (const actor of [as("eve"), admin]) {
      await expect(world.engine.sync.events(actor, "ann", {})).rejects.toMatchObject({ code: "not_found" });
      await expect(world.engine.sync.events(actor, "group-1", {})).rejects.toMatchObject({
        code: "not_found",
      });
    }
    await expect(world.engine.sync.events(as("bob"), "x.y", {})).rejects.toMatchObject({
      code: "invalid_id",
    });
  });
});
