import { limits } from "@chat21/protocol";
import { describe, expect, it } from "vitest";
import { admin, allOf, app, as, type Json, World } from "./world.ts";

/** Bob has heard from three people, one after the other. */
async function busy(): Promise<World> {
  const world = await World.start();
  for (const sender of ["ann", "cid", "dan"]) {
    await world.send(sender, "bob", {
      text: `from ${sender}`,
      sender_fullname: sender,
      attributes: { a: 1 },
    });
    await world.clock.advance(1_000);
  }
  return world;
}

const names = (documents: readonly Json[]): readonly string[] =>
  documents.map(({ conversWith }) => conversWith);

describe("A list of conversations", () => {
  it("has the newest first, in the shape that existing clients know", async () => {
    const world = await busy();

    const list = await world.list("bob");

    expect(names(list)).toEqual(["dan", "cid", "ann"]);
    expect(list[0]).toEqual({
      text: "from dan",
      sender_fullname: "dan",
      attributes: { a: 1 },
      message_id: expect.any(String),
      sender: "dan",
      recipient: "bob",
      app_id: "tilechat",
      timestamp: expect.any(Number),
      seq: 1,
      epoch: "epoch-1",
      status: 150,
      timelineOf: "bob",
      conversWith: "dan",
      key: "dan",
      is_new: true,
      archived: false,
      last_message_text: "from dan",
      _id: expect.stringMatching(/^[0-9a-f]{24}$/),
    });
  });

  it("shows the last message alone: nothing of an older one stays", async () => {
    const world = await World.start();
    await world.send("ann", "bob", { text: "one", metadata: { src: "s" }, sender_fullname: "Ann" });
    await world.send("bob", "ann", { text: "two" });

    const [document] = await world.list("ann");

    expect(document).toMatchObject({ text: "two", sender: "bob", last_message_text: "two" });
    expect(document).not.toHaveProperty("metadata");
    expect(document).not.toHaveProperty("sender_fullname");
  });

  it("is new for both after a message, for its sender too", async () => {
    const world = await World.start();
    await world.send("ann", "bob", { text: "one" });

    expect(await world.list("ann")).toMatchObject([{ is_new: true, status: 100 }]);
    expect(await world.list("bob")).toMatchObject([{ is_new: true, status: 150 }]);
  });

  it("keeps one `_id` for a conversation, another one for its other side", async () => {
    const world = await World.start();
    await world.send("ann", "bob", { text: "one" });
    const [first] = await world.list("ann");

    await world.send("ann", "bob", { text: "two" });

    const [second] = await world.list("ann");
    const [other] = await world.list("bob");
    expect(second._id).toBe(first._id);
    expect(other._id).not.toBe(first._id);
  });

  it.each([
    [{ text: null }, ""],
    [{}, ""],
    [{ text: "", type: "image", metadata: { src: "s" } }, ""],
    [{ text: 'q"uo\nte' }, 'q"uo\nte'],
  ])("has %j as the text %j", async (message, text) => {
    const world = await World.start();
    await world.send("ann", "bob", message);

    expect(await world.list("bob")).toMatchObject([{ last_message_text: text }]);
  });

  it("cannot be forged by a message that carries the list's own keys", async () => {
    const world = await World.start();
    const forged = {
      text: "x",
      key: "eve",
      is_new: false,
      archived: true,
      last_message_text: "forged",
      _id: "1",
    };
    await world.send("ann", "bob", forged);

    const [text = ""] = await allOf(world.engine.conversations.list(as("bob"), "bob", false, {}));

    expect(JSON.parse(text)).toMatchObject({
      key: "ann",
      is_new: true,
      archived: false,
      last_message_text: "x",
    });
    expect(text).not.toContain("eve");
    expect(text.match(/"is_new"/g)).toHaveLength(1);
  });

  it("comes in pages by timestamp", async () => {
    const world = await busy();
    const page = async (options: object): Promise<readonly Json[]> =>
      (await allOf(world.engine.conversations.list(as("bob"), "bob", false, options))).map((text) =>
        JSON.parse(text),
      );
    const [dan, cid, ann] = await world.list("bob");

    expect(names(await page({ limit: 2 }))).toEqual(["dan", "cid"]);
    expect(names(await page({ before: cid.timestamp }))).toEqual(["ann"]);
    expect(names(await page({ after: ann.timestamp }))).toEqual(["dan", "cid"]);
    expect(names(await page({ before: dan.timestamp, after: ann.timestamp }))).toEqual(["cid"]);
    expect(names(await page({ limit: 0 }))).toEqual(["dan"]);
    expect(names(await page({ limit: 5_000 }))).toHaveLength(3);
  });

  it("has 200 at most unless more are asked for", async () => {
    const world = await World.start();
    for (let n = 0; n < 250; n++) {
      await world.send(`u${n}`, "bob", { text: "x" });
      await world.clock.advance(1);
    }
    const { conversations } = world.engine;

    expect(await allOf(conversations.list(as("bob"), "bob", false, {}))).toHaveLength(200);
    expect(await allOf(conversations.list(as("bob"), "bob", false, { limit: 1_000 }))).toHaveLength(250);
  });

  it("is read in two steps where texts are short", async () => {
    const world = await World.start();
    for (let n = 0; n < 250; n++) {
      await world.send(`u${n}`, "bob", { text: "x" });
      await world.clock.advance(1);
    }
    const points: string[] = [];
    world.atStore = (point) => void points.push(point);

    const list = await allOf(world.engine.conversations.list(as("bob"), "bob", false, {}));

    expect(list).toHaveLength(200);
    expect(points.filter((point) => point.includes("conversations.list"))).toHaveLength(2);
  });

  it("ends behind all conversations of its last timestamp, so that the next page by timestamp leaves none out", async () => {
    const world = await World.start();
    await world.send("early", "bob", { text: "x" });
    await world.clock.advance(1_000);
    await Promise.all(Array.from({ length: 50 }, (_, n) => world.send(`u${n}`, "bob", { text: "x" })));
    const list = async (page: object) =>
      (await allOf(world.engine.conversations.list(as("bob"), "bob", false, page))).map(
        (text) => JSON.parse(text) as Json,
      );

    const first = await list({ limit: 10 });
    const second = await list({ limit: 10, before: first.at(-1).timestamp });

    expect(new Set(names(first))).toEqual(new Set(Array.from({ length: 50 }, (_, n) => `u${n}`)));
    expect(names(second)).toEqual(["early"]);
  });

  it("goes on by a cursor, item by item, whatever the timestamps", async () => {
    const world = await World.start();
    await Promise.all(Array.from({ length: 25 }, (_, n) => world.send(`u${n}`, "bob", { text: "x" })));
    const told: string[] = [];

    for (let cursor: string | null | undefined; cursor !== null; ) {
      const page: { limit: number; cursor?: string } =
        cursor === undefined ? { limit: 25 } : { limit: 4, cursor };
      const items = world.engine.conversations.states(as("bob"), "bob", null, page);
      for (;;) {
        const { done, value } = await items.next();
        if (done) {
          cursor = value;
          break;
        }
        told.push((JSON.parse(value) as Json).conversWith);
      }
    }

    expect(told).toEqual(Array.from({ length: 25 }, (_, n) => `u${n}`).sort());
  });

  it("cuts a long text, never half a character, and the history has all of it", async () => {
    const world = await World.start();
    const text = `${"x".repeat(limits.listTextCharacters - 1)}${"\u{1F600}".repeat(10)}`;
    await world.send("ann", "bob", { text, type: "text" });

    const [document] = await world.list("bob");

    const shown = "x".repeat(limits.listTextCharacters - 1);
    expect(document).toMatchObject({ text: shown, last_message_text: shown, type: "text" });
    expect(await world.textsOf("bob", "ann")).toEqual([text]);
  });

  it("ends at the bytes that an answer may have, and the next page goes on there", async () => {
    const world = await World.start();
    const metadata = { big: "x".repeat(60_000) };
    for (let n = 0; n < 80; n++) {
      await world.send(`u${n}`, "bob", { text: "x", metadata });
      await world.clock.advance(1);
    }

    const first = await world.list("bob");
    const before = first.at(-1)?.timestamp as number;
    const rest = await allOf(world.engine.conversations.list(as("bob"), "bob", false, { before }));

    expect(first.length).toBe(Math.floor(limits.answerBytes / Buffer.byteLength(JSON.stringify(first[0]))));
    expect(first.length + rest.length).toBe(80);
  });

  it("is for oneself and for admins", async () => {
    const world = await busy();
    const { conversations } = world.engine;

    for (const read of [
      allOf(conversations.list(as("eve"), "bob", false, {})),
      allOf(conversations.list(as("eve"), "bob", true, {})),
      allOf(conversations.states(as("eve"), "bob", null, {})),
      conversations.get(as("eve"), "bob", "ann", false),
    ]) {
      await expect(read).rejects.toMatchObject({ code: "forbidden" });
    }
    expect(await allOf(conversations.list(admin, "bob", false, {}))).toHaveLength(3);
  });
});

describe("One conversation of a list", () => {
  it("is the same document as in the list", async () => {
    const world = await busy();
    const [, , ann] = await allOf(world.engine.conversations.list(as("bob"), "bob", false, {}));

    expect(await world.engine.conversations.get(as("bob"), "bob", "ann", false)).toBe(ann);
  });

  it.each(["nobody", "group-1"])("is not there for %s", async (conversWith) => {
    const world = await busy();

    expect(await world.engine.conversations.get(as("bob"), "bob", conversWith, false)).toBeNull();
    expect(await world.engine.conversations.get(as("bob"), "bob", conversWith, true)).toBeNull();
  });

  it("is refused for an id that can be nobody's", async () => {
    const world = await busy();

    await expect(world.engine.conversations.get(as("bob"), "bob", "a.b", false)).rejects.toMatchObject({
      code: "invalid_id",
    });
  });

  it("is found for a group of an earlier version whose id looks like a user's, and for a user of the same name first", async () => {
    const world = await World.start();
    await world.engine.groups.create(admin, {
      id: "group-x",
      name: "T",
      owner: "ann",
      members: ["ann", "bob"],
    });
    const [record] = await world.store.conversations.load([{ app, conversation: "group-x" }]);
    const events = await world.store.events.read({ app, conversation: "group-x", limit: 10, from: "oldest" });
    await world.store.events.commit([
      {
        ...{ app, conversation: "team", expectedHead: 0, kind: "group", transient: false },
        group: record?.group ?? null,
        members: record?.members ?? [],
        events: events.map((event) => ({ ...event, conversation: "team", messageId: `team-${event.seq}` })),
      },
    ]);

    expect(
      JSON.parse((await world.engine.conversations.get(as("bob"), "bob", "team", false)) ?? ""),
    ).toMatchObject({
      conversWith: "team",
      sender: "system",
    });
    await world.send("team", "bob", { text: "I am a user" });
    expect(
      JSON.parse((await world.engine.conversations.get(as("bob"), "bob", "team", false)) ?? ""),
    ).toMatchObject({
      conversWith: "team",
      sender: "team",
    });
  });
});

describe("States of conversations", () => {
  it("count what others wrote and one has not read, up to 1,000", async () => {
    const world = await World.start();
    await world.send("bob", "ann", { text: "mine" });
    for (const text of ["one", "two"]) await world.send("ann", "bob", { text });

    const [state = ""] = await allOf(world.engine.conversations.states(as("bob"), "bob", null, {}));

    expect(JSON.parse(state)).toMatchObject({
      conversWith: "ann",
      kind: "direct",
      head: 3,
      unread: 2,
      read: 0,
    });
  });
});

describe("Clearing a conversation from all lists", () => {
  it("is for admins, and lasts until the next message", async () => {
    const world = await World.start();
    await world.createGroup("group-1", "ann", "bob");

    await expect(world.engine.conversations.clear(as("ann"), "group-1")).rejects.toMatchObject({
      code: "forbidden",
    });
    expect(await world.engine.conversations.clear(admin, "group-1")).toBe(2);

    expect(await world.list("ann")).toEqual([]);
    expect(await world.engine.conversations.get(as("ann"), "ann", "group-1", false)).toBeNull();
    expect(await world.history("ann", "group-1")).toHaveLength(3);
    await world.send("ann", "group-1", { text: "again" });
    expect(await world.list("bob")).toMatchObject([{ last_message_text: "again" }]);
  });

  it("with a user takes the user off the lists of all who spoke with it", async () => {
    const world = await busy();
    await world.send("ann", "cid", { text: "unrelated" });

    expect(await world.engine.conversations.clear(admin, "ann")).toBe(2);

    expect(names(await world.list("bob"))).toEqual(["dan", "cid"]);
    expect(names(await world.list("cid"))).toEqual(["bob"]);
    expect(names(await world.list("ann"))).toEqual(["cid", "bob"]);
  });

  it("with nobody clears nothing", async () => {
    const world = await busy();

    expect(await world.engine.conversations.clear(admin, "nobody")).toBe(0);
    expect(await world.engine.conversations.clear(admin, "group-1")).toBe(0);
  });

  it.each(["ann.bob", "", "a/b"])("is refused for %j, which can be nobody's id", async (id) => {
    const world = await busy();

    await expect(world.engine.conversations.clear(admin, id)).rejects.toMatchObject({ code: "invalid_id" });
    expect(await world.list("bob")).toHaveLength(3);
  });
});

describe("Erasing messages", () => {
  it("empties them, keeps their numbers, and takes them off lists and counters", async () => {
    const world = await World.start();
    await world.send("ann", "bob", { text: "secret", attributes: { tempUID: "T" } });
    await world.send("ann", "bob", { text: "secret too" });

    expect(await world.engine.messages.erase(admin, "ann")).toBe(2);

    expect(await world.history("bob", "ann")).toEqual([]);
    expect(await world.list("bob")).toEqual([]);
    const page = JSON.parse(await world.engine.sync.events(as("bob"), "ann", {}));
    expect(page.events).toMatchObject([
      { type: "message", seq: 1, overlay: { version: 3 } },
      { type: "message", seq: 2, overlay: { version: 3 } },
      { type: "erased", seq: 3, data: { seqs: [[1, 2]] } },
    ]);
    expect(JSON.stringify(page)).not.toContain("secret");
    await world.send("ann", "bob", { text: "new" });
    expect(await world.history("bob", "ann")).toMatchObject([{ text: "new", seq: 4 }]);
  });

  it("of a group leaves its members and its other events", async () => {
    const world = await World.start();
    await world.createGroup("group-1", "ann", "bob");
    await world.send("ann", "group-1", { text: "secret" });

    expect(await world.engine.messages.erase(admin, "group-1")).toBe(4);

    expect(await world.history("ann", "group-1")).toEqual([]);
    expect(JSON.parse(await world.engine.groups.get(as("bob"), "group-1")).members).toEqual({
      ann: 1,
      bob: 1,
    });
  });

  it.each([
    [as("ann"), "bob", "forbidden"],
    [admin, "ann.bob", "invalid_id"],
  ])("is refused for %j with %s", async (actor, conversWith, code) => {
    const world = await World.start();
    await world.send("ann", "bob", { text: "stays" });

    await expect(world.engine.messages.erase(actor, conversWith)).rejects.toMatchObject({ code });

    expect(await world.textsOf("bob", "ann")).toEqual(["stays"]);
  });
});
