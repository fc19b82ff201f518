import { ChatError } from "@chat21/protocol";
import { starred, starredType } from "@chat21/testkit";
import { describe, expect, it } from "vitest";
import type { EventRecord } from "../src/index.ts";
import { checkOverlays, eventRules, rebuildOverlays } from "../src/index.ts";
import { allOf, as, type Json, World } from "./world.ts";

const kinds = { ...eventRules, [starredType]: starred };

/** A group of three with one message by ann, in an engine that knows stars. */
async function group() {
  const world = await World.start({ kinds });
  await world.createGroup("group-1", "ann", "bob", "cid");
  const { seq } = await world.send("ann", "group-1", { text: "bright" });
  const [ann, bob, cid] = await world.people("ann", "bob", "cid");
  return { world, seq, ann, bob, cid };
}

describe("A kind that is defined in one place", () => {
  it("has its command, its event live, its overlay in history and its fact for backends", async () => {
    const { world, seq, ann, bob, cid } = await group();

    await bob.command({ type: "star", conversWith: "group-1", seq });
    await cid.command({ type: "star", conversWith: "group-1", seq });

    expect(ann.bodies("event")).toMatchObject([
      { type: "starred", sender: "bob", data: { seq } },
      { type: "starred", sender: "cid", data: { seq } },
    ]);
    const page = JSON.parse(await world.engine.sync.events(as("ann"), "group-1", { after: seq - 1 }));
    expect(page.events[0]).toMatchObject({
      message: { text: "bright" },
      overlay: { version: seq + 2, stars: ["bob", "cid"] },
    });
    expect(page.events.slice(1)).toMatchObject([{ type: "starred" }, { type: "starred" }]);
    expect(world.factsOf("event").map(({ name }) => name)).toEqual(["message-starred", "message-starred"]);
  });

  it("builds each overlay on the one before, also inside a batch", async () => {
    const { world, seq, bob, cid } = await group();

    await Promise.all([
      bob.command({ type: "star", conversWith: "group-1", seq, request_id: "b" }),
      cid.command({ type: "star", conversWith: "group-1", seq, request_id: "c" }),
    ]);

    expect(JSON.parse(world.log("group-1")[seq - 1]?.overlay ?? "")).toMatchObject({ stars: ["bob", "cid"] });
  });

  it("refuses whom its own rule refuses", async () => {
    const { world, seq, ann } = await group();

    await ann.command({ type: "star", conversWith: "group-1", seq });

    expect(ann.answers).toMatchObject([{ code: "forbidden" }]);
    expect(world.log("group-1")).toHaveLength(seq);
  });

  it("is unknown to an engine without it: the command is refused, nothing is stored", async () => {
    const world = await World.start();
    await world.createGroup("group-1", "ann", "bob");
    const [bob] = await world.people("bob");

    await bob.command({ type: "star", conversWith: "group-1", seq: 1 });

    expect(bob.answers).toMatchObject([{ code: "bad_request" }]);
  });
});

describe("An event of a kind that this version does not know", () => {
  it("is kept, skipped by readers, and left for others to dispatch", async () => {
    const { world, seq, bob } = await group();
    world.beforeSink = () => {
      throw new ChatError("store_unavailable");
    };
    await bob.command({ type: "star", conversWith: "group-1", seq });
    const older = await World.start({ disk: world.disk });

    const page = JSON.parse(await older.engine.sync.events(as("ann"), "group-1", { after: seq - 1 })) as Json;
    await older.send("ann", "group-1", { text: "more" });

    expect(page.events.map(({ type }: Json) => type)).toEqual(["message"]);
    expect(page).toMatchObject({ covered: [[seq, seq + 1]] });
    expect(older.factsOf("event")).toEqual([]);
    const waiting = await older.store.events.undispatched(10, Number.MAX_SAFE_INTEGER);
    expect(waiting.map(({ type }: EventRecord) => type)).toEqual(["starred"]);
    const newer = await World.start({ disk: world.disk, kinds });
    expect(newer.factsOf("event")).toMatchObject([{ name: "message-starred" }]);
  });
});

describe("Overlays", () => {
  const problems = (world: World) => allOf(checkOverlays(world.store, kinds));

  it("are what the log makes of them, whatever happened", async () => {
    const { world, seq, ann, bob, cid } = await group();
    await bob.command({ type: "star", conversWith: "group-1", seq, request_id: "1" });
    await ann.command({ type: "erase", conversWith: "group-1", seqs: [seq], request_id: "2" });
    await cid.command({ type: "star", conversWith: "group-1", seq, request_id: "3" });

    expect(cid.answers).toMatchObject([{ code: "not_found" }]);
    expect(await problems(world)).toEqual([]);
  });

  it("are found wrong where they are wrong, lost or too many, and rebuilt from the log", async () => {
    const { world, seq, bob, cid } = await group();
    await bob.command({ type: "star", conversWith: "group-1", seq, request_id: "1" });
    await cid.command({ type: "star", conversWith: "group-1", seq, request_id: "2" });
    const [found] = await world.store.overlays.amended(["starred"], 10);
    const wrong = [{ seq: 1, overlay: '{"version":1}', erases: false }];
    const conversation = { app: "tilechat", conversation: "group-1", expectedHead: found?.head ?? 0 };
    expect(await world.store.overlays.replace(conversation, wrong)).toBe(true);

    expect(await problems(world)).toMatchObject([
      { seq: 1, stored: '{"version":1}', expected: null },
      { seq, stored: null },
    ]);
    expect(await rebuildOverlays(world.store, kinds)).toBe(1);
    expect(await problems(world)).toEqual([]);
  });

  it("are rebuilt to the end by the next run when one was killed half way", async () => {
    const world = await World.start({ kinds });
    for (const name of ["group-1", "group-2", "group-3"]) {
      await world.createGroup(name, "ann", "bob");
      const { seq } = await world.send("ann", name, { text: "x" });
      await (await world.connect("bob")).command({ type: "star", conversWith: name, seq, request_id: name });
      const { length } = world.log(name);
      await world.store.overlays.replace({ app: "tilechat", conversation: name, expectedHead: length }, []);
    }
    let calls = 0;
    world.atStore = (point) => {
      if (point.startsWith("overlays.replace") && ++calls > 2) throw new ChatError("store_unavailable");
    };

    await expect(rebuildOverlays(world.store, kinds)).rejects.toMatchObject({ code: "store_unavailable" });
    world.atStore = () => {};

    expect((await problems(world)).length).toBeGreaterThan(0);
    await rebuildOverlays(world.store, kinds);
    expect(await problems(world)).toEqual([]);
  });
});
