import { ChatError } from "@chat21/protocol";
import { describe, expect, it } from "vitest";
import type { Fact } from "../src/index.ts";
import { as, World } from "./world.ts";

const textOf = (fact: Fact) => (fact.kind === "message" ? JSON.parse(fact.event.body).text : fact.kind);

describe("A fact of a message", () => {
  it("of a direct one has the sender's copy and the recipient's, as they went out", async () => {
    const world = await World.start();
    const [ann, bob] = await world.people("ann", "bob");

    await ann.send("bob", { text: "hi" });

    expect(world.facts).toEqual([
      {
        kind: "message",
        conversationKind: "direct",
        event: world.log("ann.bob")[0],
        sent: { user: "ann", conversWith: "bob", status: 100, payload: ann.frames[0]?.text },
        delivered: [{ user: "bob", conversWith: "ann", status: 150, payload: bob.frames[0]?.text }],
      },
    ]);
  });

  it("of a group has the group's own copy, and one for every member, the sender's too", async () => {
    const world = await World.start();
    const [bob] = await world.people("bob");
    await world.createGroup("group-1", "ann", "bob", "cid");
    bob.forget();

    await world.send("ann", "group-1", { text: "hi" });

    const fact = world.factsOf("message").at(-1);
    expect(fact?.conversationKind).toBe("group");
    expect(fact?.sent).toMatchObject({ user: "group-1", conversWith: "group-1", status: 100 });
    expect(JSON.parse(fact?.sent.payload ?? "")).toMatchObject({ text: "hi", status: 100 });
    expect(fact?.delivered).toEqual(
      ["ann", "bob", "cid"].map((user) => ({
        user,
        conversWith: "group-1",
        status: 150,
        payload: bob.frames[0]?.text,
      })),
    );
  });

  it("is there once per message even when nobody is connected, and when the sender is no member", async () => {
    const world = await World.start();
    await world.createGroup("group-1", "ann");

    await world.engine.messages.send(
      { app: "tilechat", user: "backend", admin: true },
      { recipient: "group-1", sender: "system", body: '{"text":"closed"}' },
    );

    expect(world.factsOf("message").filter((fact) => textOf(fact) === "closed")).toHaveLength(1);
    expect(
      world
        .factsOf("message")
        .at(-1)
        ?.delivered.map(({ user }) => user),
    ).toEqual(["ann"]);
  });

  it("is handed over before the message is acknowledged", async () => {
    const world = await World.start();
    const handedOver = Promise.withResolvers<void>();
    world.beforeSink = () => handedOver.promise;
    let acknowledged = false;

    const sending = world.send("ann", "bob", { text: "hi" }).then(() => {
      acknowledged = true;
    });
    await world.rest();
    expect(acknowledged).toBe(false);
    handedOver.resolve();
    await sending;

    expect(world.facts).toHaveLength(1);
  });

  it("comes in the order of the conversation, though the next batch commits meanwhile", async () => {
    const world = await World.start({ batchItems: 3 });
    const waiting: (() => void)[] = [];
    world.beforeSink = () => new Promise((resolve) => waiting.push(resolve));

    const sending = Array.from({ length: 10 }, (_, index) => world.send("ann", "bob", { text: `m${index}` }));
    await world.rest();
    expect(world.log("ann.bob")).toHaveLength(10);
    for (let round = 0; round < 4; round++) {
      waiting.shift()?.();
      await world.rest();
    }
    await Promise.all(sending);

    expect(world.facts.map(textOf)).toEqual(Array.from({ length: 10 }, (_, index) => `m${index}`));
  });
});

describe("A live delivery", () => {
  it("does not wait for the sinks", async () => {
    const world = await World.start();
    const [bob] = await world.people("bob");
    const never = Promise.withResolvers<void>();
    world.beforeSink = () => never.promise;

    const sending = world.send("ann", "bob", { text: "hi" });
    await world.rest();

    expect(bob.texts()).toEqual(["hi"]);
    never.resolve();
    await sending;
  });
});

describe("A sink that fails", () => {
  it("lets the message not be acknowledged, though it is stored", async () => {
    const world = await World.start();
    const [ann] = await world.people("ann");
    world.beforeSink = () => {
      throw new ChatError("store_unavailable");
    };

    await expect(world.send("ann", "bob", { text: "1" })).rejects.toMatchObject({
      code: "store_unavailable",
    });
    await ann.send("bob", { text: "2", client_message_id: "key-2" });

    expect(ann.answers).toMatchObject([{ code: "store_unavailable", client_message_id: "key-2" }]);
    expect(await world.textsOf("bob", "ann")).toEqual(["1", "2"]);
    expect(world.disk.undispatched.size).toBe(2);
  });

  it("is asked again by the sweep, until it takes the fact", async () => {
    const world = await World.start();
    let fails = true;
    world.beforeSink = () => {
      if (fails) throw new Error("down");
    };
    await world.send("ann", "bob", { text: "hi" }).catch(() => {});

    await world.pass(10_000);
    expect(world.facts).toEqual([]);
    fails = false;
    await world.pass(2_000);

    expect(world.facts.map(textOf)).toEqual(["hi"]);
    await world.pass(60_000);
    expect(world.facts).toHaveLength(1);
    expect(world.count("redispatched")).toBeGreaterThan(0);
  });

  it("is not asked again sooner than two seconds after the commit", async () => {
    const world = await World.start();
    let asked = 0;
    world.beforeSink = () => {
      asked++;
      throw new Error("down");
    };
    await world.pass(500);
    await world.send("ann", "bob", { text: "hi" }).catch(() => {});

    await world.pass(1_999);
    expect(asked).toBe(1);
    await world.pass(2_001);
    expect(asked).toBe(2);
  });

  it("lets the repeat of the send be answered, which hands nothing over twice", async () => {
    const world = await World.start();
    let fails = true;
    world.beforeSink = () => {
      if (fails) throw new Error("down");
    };
    const message = { text: "hi", client_message_id: "key-1" };
    await world.send("ann", "bob", message).catch(() => {});
    fails = false;

    expect(await world.send("ann", "bob", message)).toMatchObject({ repeated: true, seq: 1 });
    await world.pass(5_000);

    expect(world.facts.map(textOf)).toEqual(["hi"]);
    expect(world.log("ann.bob")).toHaveLength(1);
  });

  it("does not stop what comes after it", async () => {
    const world = await World.start();
    let fails = true;
    world.beforeSink = () => {
      if (fails) throw new Error("down");
    };
    await world.send("ann", "bob", { text: "1" }).catch(() => {});
    fails = false;

    await expect(world.send("ann", "bob", { text: "2" })).resolves.toMatchObject({ seq: 2 });
  });
});

describe("A sweep", () => {
  it("leaves alone what is being handed over, however long that takes", async () => {
    const world = await World.start();
    const [bob] = await world.people("bob");
    const slow = Promise.withResolvers<void>();
    world.beforeSink = () => slow.promise;

    const sending = world.send("ann", "bob", { text: "hi" });
    await world.pass(30_000);
    slow.resolve();
    await sending;
    await world.pass(30_000);

    expect(world.facts).toHaveLength(1);
    expect(bob.texts()).toEqual(["hi"]);
    expect(world.count("redispatched")).toBe(0);
  });

  it("finds nothing in a world where all goes well", async () => {
    const world = await World.start();
    await world.createGroup("group-1", "ann", "bob");
    await world.engine.groups.addMember(as("ann"), "group-1", "cid");
    await world.send("ann", "bob", { text: "hi" });

    await world.pass(60_000);

    expect(world.count("redispatched")).toBe(0);
  });
});

describe("A process that starts", () => {
  /** A disk on which an earlier process has committed, and died before it dispatched. */
  async function leftBehind(): Promise<World> {
    const before = await World.start();
    before.beforeSink = () => {
      throw new Error("dying");
    };
    for (const text of ["one", "two"]) await before.send("ann", "bob", { text }).catch(() => {});
    await before.createGroup("group-1", "ann", "bob").catch(() => {});
    return before;
  }

  it("hands over what an earlier one left, in order, before it takes anything new", async () => {
    const before = await leftBehind();

    const world = await World.start({ disk: before.disk, clock: before.clock });

    expect(world.facts.map(textOf)).toEqual([
      "one",
      "two",
      "Group created",
      "ann joined group on creation",
      "bob joined group on creation",
    ]);
    expect(world.count("redispatched")).toBe(6);
  });

  it("hands it over without anybody listening, too, and then forgets it", async () => {
    const before = await leftBehind();

    const world = await World.start({ disk: before.disk, clock: before.clock, listening: false });
    await world.send("ann", "bob", { text: "three" });
    await world.store.close();

    expect(world.disk.undispatched.size).toBe(0);
  });

  it("does not start when the sink does not take it", async () => {
    const before = await leftBehind();

    const starting = World.start({
      disk: before.disk,
      clock: before.clock,
      beforeSink: () => {
        throw new ChatError("store_unavailable");
      },
    });

    await expect(starting).rejects.toMatchObject({ code: "store_unavailable" });
  });

  it("hands over more than one page of it", async () => {
    const before = await World.start();
    before.beforeSink = () => {
      throw new Error("dying");
    };
    await Promise.allSettled(
      Array.from({ length: 1_234 }, (_, n) => before.send("ann", `u${n % 7}`, { text: `m${n}` })),
    );

    const world = await World.start({ disk: before.disk, clock: before.clock });

    expect(world.facts).toHaveLength(1_234);
    await world.engine.drain();
    await world.store.close();
    expect(world.disk.undispatched.size).toBe(0);
  });
});

describe("A repeated dispatch of a join", () => {
  it("shows the newcomer the history again, and everybody the group as it is now", async () => {
    const before = await World.start();
    await before.createGroup("group-1", "ann");
    before.beforeSink = () => {
      throw new Error("dying");
    };
    await before.engine.groups.addMember(as("ann"), "group-1", "bob").catch(() => {});

    const world = await World.start({ disk: before.disk, clock: before.clock });

    expect(world.facts.map(({ kind }) => kind)).toEqual(["history", "history", "message"]);
    expect(world.facts.map((fact) => (fact.kind === "history" ? fact.delivered.user : ""))).toEqual([
      "bob",
      "bob",
      "",
    ]);
  });
});
