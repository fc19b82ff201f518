import { ChatError } from "@chat21/protocol";
import { describe, expect, it } from "vitest";
import type { ConversationStore, EventLog } from "../src/index.ts";
import { World } from "./world.ts";

/** Makes the store refuse, for good, every commit that holds a message with this text: a whole commit, as a database does. */
function refuse(world: World, poison: string): void {
  const commit = world.store.events.commit;
  const events: Partial<EventLog> = {
    async commit(runs) {
      if (JSON.stringify(runs).includes(poison)) throw new ChatError("internal", "string or blob too big");
      return commit(runs);
    },
  };
  Object.assign(world.store.events, events);
}

describe("A message that the store refuses for good", () => {
  it("is rejected, and its neighbours are stored in their order", async () => {
    const world = await World.start();
    const [ann, bob] = await world.people("ann", "bob");
    refuse(world, "poison");
    const texts = ["a", "b", "poison", "c", "d"];

    await Promise.all(texts.map((text) => ann.send("bob", { text, client_message_id: text })));

    expect(bob.texts()).toEqual(["a", "b", "c", "d"]);
    expect(world.log("ann.bob").map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
    expect(ann.answers).toEqual([
      { code: "internal", message: "the server failed", client_message_id: "poison" },
    ]);
    expect(world.count("store_errors:permanent")).toBeGreaterThan(0);
  });

  it("hurts no other conversation of its batch", async () => {
    const world = await World.start();
    refuse(world, "poison");

    const outcomes = await Promise.allSettled([
      world.send("ann", "bob", { text: "1" }),
      world.send("ann", "cid", { text: "poison" }),
      world.send("ann", "cid", { text: "2" }),
      world.send("ann", "dan", { text: "3" }),
    ]);

    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled", "fulfilled"]);
    expect(await world.textsOf("cid", "ann")).toEqual(["2"]);
    expect(await world.textsOf("dan", "ann")).toEqual(["3"]);
  });

  it("neither pauses the edge nor makes the server unready", async () => {
    const world = await World.start();
    refuse(world, "poison");

    await expect(world.send("ann", "bob", { text: "poison" })).rejects.toMatchObject({ code: "internal" });

    expect(world.edge.pauses).toEqual([]);
    expect(world.engine.health()).toEqual({ ready: true, reason: "ok" });
  });

  it("leaves the conversation as it was: the next takes the number", async () => {
    const world = await World.start();
    await world.createGroup("group-1", "ann");
    refuse(world, "poison");

    await expect(
      world.engine.groups.setAttributes(
        { app: "tilechat", user: "ann", admin: false },
        "group-1",
        '{"a":"poison"}',
      ),
    ).rejects.toMatchObject({ code: "internal" });
    const { seq } = await world.send("ann", "group-1", { text: "next" });

    expect(seq).toBe(4);
    expect(
      await world.engine.groups.get({ app: "tilechat", user: "ann", admin: false }, "group-1"),
    ).not.toContain("poison");
  });

  it("may be many: each is rejected, each neighbour stored", async () => {
    const world = await World.start();
    refuse(world, "poison");
    const texts = Array.from({ length: 60 }, (_, index) =>
      index % 3 === 0 ? `poison${index}` : `m${index}`,
    );

    const outcomes = await Promise.allSettled(texts.map((text) => world.send("ann", "bob", { text })));

    expect(outcomes.map(({ status }) => status)).toEqual(
      texts.map((text) => (text.startsWith("poison") ? "rejected" : "fulfilled")),
    );
    expect((await world.history("bob", "ann")).map(({ text }) => text)).toEqual(
      texts.filter((text) => !text.startsWith("poison")),
    );
  });
});

describe("A conversation that cannot be read", () => {
  it("rejects what goes there, and holds up nobody else", async () => {
    const world = await World.start();
    const load = world.store.conversations.load;
    const conversations: Partial<ConversationStore> = {
      async load(keys) {
        if (keys.some(({ conversation }) => conversation === "ann.broken"))
          throw new ChatError("internal", "bad row");
        return load(keys);
      },
    };
    Object.assign(world.store.conversations, conversations);

    const outcomes = Promise.allSettled([
      world.send("ann", "bob", { text: "1" }),
      world.send("ann", "broken", { text: "2" }),
      world.send("ann", "bob", { text: "3" }),
    ]);
    await world.pass(10_000);

    expect((await outcomes).map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(await world.textsOf("bob", "ann")).toEqual(["1", "3"]);
    expect(world.edge.pauses).toEqual([]);
  });
});

describe("An edge that throws", () => {
  it.each([true, false])("never makes a message twice (sink listening: %s)", async (listening) => {
    const world = await World.start({ listening });
    const [bob] = await world.people("bob");
    const deliver = world.edge.deliver;
    world.edge.deliver = () => {
      throw new TypeError("a bug in the edge");
    };

    const sending = world.send("ann", "bob", { text: "x" }).catch((thrown: ChatError) => thrown.code);
    await world.pass(1_000);
    expect(await sending).toBe("internal");
    world.edge.deliver = deliver;
    await world.pass(4_000);

    expect(world.log("ann.bob")).toHaveLength(1);
    expect(bob.texts()).toEqual(["x"]);
    await expect(world.send("ann", "bob", { text: "y" })).resolves.toMatchObject({ seq: 2 });
    expect(bob.texts()).toEqual(["x", "y"]);
  });
});
