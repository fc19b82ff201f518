import { createManualClock } from "@chat21/testkit";
import { describe, expect, it } from "vitest";
import { admin, as, type Person, World } from "./world.ts";

const leaseMs = 150_000;
const graceMs = 5_000;

/** Ann and bob have spoken; cid has not. */
async function acquainted(): Promise<readonly [World, Person, Person]> {
  const world = await World.start();
  await world.send("ann", "bob", { text: "hi" });
  const [bob, cid] = await world.people("bob", "cid");
  return [world, bob, cid];
}

const presenceOf = (person: Person) => person.bodies("ephemeral").map(({ presence }) => presence);

async function isOnline(world: World, user: string): Promise<boolean | undefined> {
  const [answer] = await world.engine.presence.get(admin, [user]);
  return answer?.online;
}

describe("Presence on", () => {
  it("is told to those with whom one has spoken, and to nobody else", async () => {
    const [world, bob, cid] = await acquainted();
    const [ann] = await world.people("ann");

    await ann.announce({ connected: true });

    expect(bob.bodies("ephemeral")).toEqual([{ type: "presence", user: "ann", presence: "online" }]);
    expect(bob.frames[0]?.qos).toBe(0);
    expect(cid.frames).toEqual([]);
    expect(ann.frames).toEqual([]);
    expect(await isOnline(world, "ann")).toBe(true);
  });

  it("is told once, to backends and to people, however often the client says it", async () => {
    const [world, bob] = await acquainted();
    const [ann] = await world.people("ann");

    await ann.announce({ connected: true });
    await ann.announce({ connected: true });

    expect(world.factsOf("presence").map(({ presence }) => presence)).toEqual(["online"]);
    expect(presenceOf(bob)).toEqual(["online"]);
  });

  it("reaches everybody with whom one has spoken, however many they are", async () => {
    const [world, bob] = await acquainted();
    // Bob's conversation becomes the oldest one of very many.
    for (let other = 0; other < 1_200; other++) {
      await world.clock.advance(1);
      await world.send("ann", `user-${other}`, { text: "hi" });
    }
    const [ann, last] = await world.people("ann", "user-1199");
    bob.forget();

    await ann.announce({ connected: true });

    expect([presenceOf(bob), presenceOf(last)]).toEqual([["online"], ["online"]]);
  });

  it("is not there before the client says so", async () => {
    const [world, bob] = await acquainted();
    const [ann] = await world.people("ann");

    expect(await isOnline(world, "ann")).toBe(false);
    ann.client.close();
    await world.rest();

    expect(bob.frames).toEqual([]);
    expect(world.factsOf("presence")).toEqual([]);
  });

  it("is kept as long as the connection is open, without a word from the client", async () => {
    const [world, bob] = await acquainted();
    const [ann] = await world.people("ann");
    await ann.announce({ connected: true });

    await world.clock.advance(10 * leaseMs);

    expect(await isOnline(world, "ann")).toBe(true);
    expect(presenceOf(bob)).toEqual(["online"]);
  });
});

describe("Presence off", () => {
  it("comes with the client's own word, after the grace, and tells when it left", async () => {
    const [world, bob] = await acquainted();
    const [ann] = await world.people("ann");
    await ann.announce({ connected: true });
    await world.clock.advance(1_000);
    const leftAt = world.clock.now();

    await ann.announce({ disconnected: true });
    await world.pass(graceMs - 1);
    const before = [presenceOf(bob), await isOnline(world, "ann")];
    await world.pass(1);

    expect(before).toEqual([["online"], true]);
    expect(presenceOf(bob)).toEqual(["online", "offline"]);
    expect(bob.bodies("ephemeral")[1]).toMatchObject({ last_seen: leftAt });
    expect(world.factsOf("presence")).toMatchObject([{}, { presence: "offline", at: leftAt }]);
    expect(await world.engine.presence.get(admin, ["ann"])).toMatchObject([
      { online: false, lastSeen: leftAt },
    ]);
  });

  it("comes after the grace that was chosen", async () => {
    const world = await World.start({ presenceGraceMs: 30_000 });
    await world.send("ann", "bob", { text: "hi" });
    const [ann, bob] = await world.people("ann", "bob");
    await ann.announce({ connected: true });

    ann.client.close();
    await world.pass(29_999);
    const before = presenceOf(bob);
    await world.pass(1);

    expect([before, presenceOf(bob)]).toEqual([["online"], ["online", "offline"]]);
  });

  it.each([{}, { connected: false }, { connected: 0 }, { connected: null }, { connected: "" }])(
    "is %j",
    async (word) => {
      const [world] = await acquainted();
      const [ann] = await world.people("ann");
      await ann.announce({ connected: true });

      await ann.announce(word);
      await world.pass(graceMs);

      expect(await isOnline(world, "ann")).toBe(false);
    },
  );

  it("comes when the connection ends in whatever way, and once", async () => {
    const [world, bob] = await acquainted();
    const [ann] = await world.people("ann");
    await ann.announce({ connected: true });

    ann.client.close();
    await world.rest();
    await world.clock.advance(2 * leaseMs);

    expect(presenceOf(bob)).toEqual(["online", "offline"]);
    expect(world.factsOf("presence").map(({ presence }) => presence)).toEqual(["online", "offline"]);
  });

  it("comes once when the client says it and then ends the connection", async () => {
    const [world, bob] = await acquainted();
    const [ann] = await world.people("ann");
    await ann.announce({ connected: true });

    await ann.announce({ disconnected: true });
    ann.client.close();
    await world.pass(graceMs);

    expect(presenceOf(bob)).toEqual(["online", "offline"]);
    expect(world.factsOf("presence")).toHaveLength(2);
  });

  it("comes when the server closes the connection", async () => {
    const [world, bob] = await acquainted();
    const ann = await world.connect("ann", { tokenId: "t-1" });
    await ann.announce({ connected: true });

    world.engine.handleRevocation({ app: "tilechat", user: "ann", tokenId: "t-1" });
    await world.pass(graceMs);

    expect(presenceOf(bob)).toEqual(["online", "offline"]);
  });

  it("has to come from somebody who was there", async () => {
    const [world, bob] = await acquainted();
    const [ann] = await world.people("ann");

    await ann.announce({ disconnected: true });
    await world.pass(graceMs);

    expect(bob.frames).toEqual([]);
    expect(world.factsOf("presence")).toEqual([]);
  });
});

describe("Somebody with two devices", () => {
  it("is offline only when the last one is gone", async () => {
    const [world, bob] = await acquainted();
    const first = await world.connect("ann", { clientId: "phone" });
    const second = await world.connect("ann", { clientId: "desk" });
    await first.announce({ connected: true });
    await second.announce({ connected: true });

    first.client.close();
    await world.pass(graceMs);
    expect(await isOnline(world, "ann")).toBe(true);
    second.client.close();
    await world.pass(graceMs);

    expect(await isOnline(world, "ann")).toBe(false);
    expect(presenceOf(bob)).toEqual(["online", "offline"]);
    expect(world.factsOf("presence").map(({ presence }) => presence)).toEqual(["online", "offline"]);
  });
});

describe("Whoever comes back within the grace was never away", () => {
  it("as a newer connection that takes over the client id, before or after the old one ends", async () => {
    const [world, bob] = await acquainted();
    const first = await world.connect("ann", { clientId: "phone" });
    await first.announce({ connected: true });

    const second = await world.connect("ann", { clientId: "phone" });
    await second.announce({ connected: true });
    // Here the edge keeps the old connection until the new one has spoken.
    const third = { ...second.client.session };
    world.engine.handleOpen(third);
    await world.engine.handlePublish(third, {
      topic: "apps/tilechat/users/ann/presence/phone",
      payload: new TextEncoder().encode('{"connected":true}'),
    });
    second.client.close();
    await world.pass(2 * graceMs);

    expect(first.client.isOpen).toBe(false);
    expect(presenceOf(bob)).toEqual(["online"]);
    expect(world.factsOf("presence")).toHaveLength(1);
    expect(await isOnline(world, "ann")).toBe(true);
    world.engine.handleClose(third);
    await world.pass(graceMs);
    expect(presenceOf(bob)).toEqual(["online", "offline"]);
  });

  it.each(["desk", "another"])("as a page that is loaded again, with the client id %s", async (clientId) => {
    const [world, bob] = await acquainted();
    const before = await world.connect("ann", { clientId: "desk" });
    await before.announce({ connected: true });

    await before.announce({ disconnected: true });
    before.client.close();
    await world.pass(graceMs - 100);
    const after = await world.connect("ann", { clientId });
    await after.announce({ connected: true });
    await world.pass(10 * leaseMs);

    expect(presenceOf(bob)).toEqual(["online"]);
    expect(world.factsOf("presence")).toHaveLength(1);
    expect(await isOnline(world, "ann")).toBe(true);
  });

  it("again and again: each departure has its own grace", async () => {
    const [world, bob] = await acquainted();
    for (let visit = 0; visit < 3; visit++) {
      const ann = await world.connect("ann", { clientId: "phone" });
      await ann.announce({ connected: true });
      await world.pass(graceMs / 2);
      ann.client.close();
      await world.pass(graceMs - 100);
    }
    expect(presenceOf(bob)).toEqual(["online"]);

    await world.pass(100);

    expect(presenceOf(bob)).toEqual(["online", "offline"]);
  });

  it("and one that is back just when the grace ends is told as gone first, and as there last", async () => {
    const [world, bob] = await acquainted();
    const ann = await world.connect("ann", { clientId: "phone" });
    await ann.announce({ connected: true });
    const back = await world.connect("ann", { clientId: "phone-2" });
    ann.client.close();
    const ending = Promise.withResolvers<void>();
    world.atStore = (point) => (point === "presence.end" ? ending.promise : undefined);
    await world.pass(graceMs);

    const announced = back.announce({ connected: true });
    ending.resolve();
    await announced;

    expect(presenceOf(bob)).toEqual(["online", "offline", "online"]);
    expect(await isOnline(world, "ann")).toBe(true);
  });
});

describe("A server that starts again", () => {
  /** Ann was online when the server stopped or died; it is back after `awayMs`. */
  async function restarted({ isKilled, awayMs }: { isKilled: boolean; awayMs: number }): Promise<World> {
    const [before, bob] = await acquainted();
    const [ann] = await before.people("ann");
    await ann.announce({ connected: true });
    if (!isKilled) {
      await before.engine.drain();
      await before.edge.close(0);
      await before.pass(graceMs);
    }
    expect(presenceOf(bob)).toEqual(["online"]);
    expect(before.factsOf("presence")).toHaveLength(1);
    return World.start({ disk: before.disk, clock: createManualClock(before.clock.now() + awayMs) });
  }

  it.each([
    { isKilled: false, awayMs: 10_000 },
    { isKilled: true, awayMs: 10_000 },
    { isKilled: false, awayMs: 9 * 60_000 },
    { isKilled: true, awayMs: 9 * 60_000 },
  ])("tells nobody of those who come back: %j", async (outage) => {
    const world = await restarted(outage);
    const [bob] = await world.people("bob");
    await world.pass(30_000);
    const [ann] = await world.people("ann");
    await ann.announce({ connected: true });
    await world.pass(2 * leaseMs);

    expect(presenceOf(bob)).toEqual([]);
    expect(world.factsOf("presence")).toEqual([]);
    expect(await isOnline(world, "ann")).toBe(true);
  });

  it("tells of those who do not come back", async () => {
    const world = await restarted({ isKilled: false, awayMs: 9 * 60_000 });
    const [bob] = await world.people("bob");
    const online = await isOnline(world, "ann");

    await world.pass(100_000);

    expect(online).toBe(true);
    expect(presenceOf(bob)).toEqual(["offline"]);
    expect(world.factsOf("presence")).toMatchObject([{ user: "ann", presence: "offline" }]);
  });

  it("does not wait for those whom it lost long ago", async () => {
    const world = await restarted({ isKilled: true, awayMs: 60 * 60_000 });

    expect(await isOnline(world, "ann")).toBe(false);
    expect(world.factsOf("presence")).toMatchObject([{ user: "ann", presence: "offline" }]);
  });
});

describe("A lease whose process died", () => {
  it("runs out, and another process tells of it", async () => {
    const [before] = await acquainted();
    const [ann] = await before.people("ann");
    await ann.announce({ connected: true });
    const since = before.clock.now();

    const world = await World.start({ disk: before.disk });
    const [bob] = await world.people("bob");
    await world.clock.advance(leaseMs - 1);
    expect(await isOnline(world, "ann")).toBe(true);
    await world.clock.advance(50_000);

    expect(await isOnline(world, "ann")).toBe(false);
    expect(presenceOf(bob)).toEqual(["offline"]);
    expect(world.factsOf("presence")).toMatchObject([{ user: "ann", presence: "offline" }]);
    expect(await world.engine.presence.get(admin, ["ann", "bob", "nobody"])).toMatchObject([
      { online: false, lastSeen: since + leaseMs },
      { online: false, lastSeen: 0 },
      { online: false, lastSeen: 0 },
    ]);
  });
});

describe("Presence that is turned off", () => {
  it("is told to nobody, and everybody looks as if never seen", async () => {
    const world = await World.start({ presence: false });
    await world.send("ann", "bob", { text: "hi" });
    const [ann, bob] = await world.people("ann", "bob");

    await ann.announce({ connected: true });
    expect(await world.engine.presence.get(as("bob"), ["ann"])).toEqual([
      { known: true, online: false, lastSeen: 0 },
    ]);
    ann.client.close();
    await world.pass(graceMs);

    expect(world.factsOf("presence")).toEqual([]);
    expect(presenceOf(bob)).toEqual([]);
  });
});

describe("Presence after the connection is gone", () => {
  it("makes nobody online who cannot go offline any more", async () => {
    const [world, bob] = await acquainted();
    const [ann] = await world.people("ann");
    ann.client.close();

    await ann.announce({ connected: true });

    expect(await isOnline(world, "ann")).toBe(false);
    expect(bob.frames).toEqual([]);
  });
});

describe("Who is asked about", () => {
  const known = async (world: World, asker: string, user: string) =>
    (await world.engine.presence.get(as(asker), [user]))[0];
  const stranger = { known: false, online: false, lastSeen: 0 };

  it("is shown to whom shares a conversation, to oneself and to admins; to others like nobody", async () => {
    const world = await World.start();
    const [ann] = await world.people("ann");
    await ann.announce({ connected: true });
    await world.send("ann", "bob", { text: "hi" });
    await world.createGroup("group-1", "cid", "ann");

    for (const user of ["ann", "bob", "cid"]) {
      expect(await known(world, user, "ann")).toMatchObject({ known: true, online: true });
    }
    expect((await world.engine.presence.get(admin, ["ann"]))[0]).toMatchObject({ known: true, online: true });
    expect(await known(world, "eve", "ann")).toEqual(stranger);
    expect(await known(world, "eve", "nobody")).toEqual(stranger);
  });

  it("is a stranger again when one of the two has left their only group, and in another app", async () => {
    const world = await World.start();
    const [ann] = await world.people("ann");
    await ann.announce({ connected: true });
    await world.createGroup("group-1", "cid", "ann");

    const elsewhere = await world.engine.presence.get({ app: "other", user: "cid", admin: true }, ["ann"]);
    await world.engine.groups.removeMember(as("ann"), "group-1", "ann");

    expect(elsewhere).toMatchObject([{ online: false, lastSeen: 0 }]);
    expect(await known(world, "cid", "ann")).toEqual(stranger);
  });
});

describe("Typing", () => {
  const notice = { conversWith: "group-1", typing: true };

  /** A group of ann and bob, and bob's device. */
  async function team(): Promise<readonly [World, Person]> {
    const world = await World.start({ rateLimits: true });
    const [bob] = await world.people("bob");
    await world.createGroup("group-1", "ann", "bob");
    bob.forget();
    return [world, bob];
  }

  it("reaches the others, from a member or from whom an admin names", async () => {
    const [world, bob] = await team();

    await world.engine.presence.typing(as("ann"), notice);
    await world.engine.presence.typing(admin, { ...notice, user: "bot" });

    const told = { type: "typing", conversWith: "group-1", typing: true };
    expect(bob.bodies("ephemeral")).toEqual([
      { ...told, user: "ann" },
      { ...told, user: "bot" },
    ]);
  });

  it("is refused from strangers and from who poses as somebody else", async () => {
    const [world, bob] = await team();
    const { typing } = world.engine.presence;

    await expect(typing(as("eve"), notice)).rejects.toMatchObject({ code: "not_member" });
    await expect(typing(as("eve"), { ...notice, user: "ann" })).rejects.toMatchObject({ code: "forbidden" });

    expect(bob.frames).toEqual([]);
  });

  it("is no way to flood a group: a user may tell so much a minute", async () => {
    const [world, bob] = await team();
    const { typing } = world.engine.presence;
    for (let told = 0; told < 120; told++) await typing(as("ann"), notice);

    await expect(typing(as("ann"), notice)).rejects.toMatchObject({ code: "rate_limited" });

    expect(bob.frames).toHaveLength(120);
  });
});

describe("Presence behind a broker that keeps the connections", () => {
  /** A device that announced itself, over an edge that can only ask who listens. */
  async function behindBroker(): Promise<{ world: World; bob: Person; listening: Set<string> }> {
    const [world, bob] = await acquainted();
    const listening = new Set(["ann"]);
    world.edge.probe = async (users) => users.map(({ user }) => listening.has(user));
    const [ann] = await world.people("ann");
    await ann.announce({ connected: true });
    return { world, bob, listening };
  }

  it("lasts as long as somebody listens, without a word from the client", async () => {
    const { world, bob } = await behindBroker();

    await world.pass(5 * leaseMs);

    expect(await isOnline(world, "ann")).toBe(true);
    expect(presenceOf(bob)).toEqual(["online"]);
  });

  it("ends within the lease when nobody listens any more", async () => {
    const { world, bob, listening } = await behindBroker();
    listening.delete("ann");

    await world.pass(leaseMs);

    expect(presenceOf(bob)).toEqual(["online", "offline"]);
    expect(await isOnline(world, "ann")).toBe(false);
  });

  it("ends with the client's will, whoever brings it", async () => {
    const { world, bob, listening } = await behindBroker();
    const [another] = await world.people("ann");
    listening.delete("ann");

    await another.announce({ disconnected: true });
    await world.pass(graceMs);

    expect(presenceOf(bob)).toEqual(["online", "offline"]);
  });

  it("ends after the grace when the broker says that the client is gone", async () => {
    const { world, bob, listening } = await behindBroker();
    listening.delete("ann");

    await world.engine.handleGone("ann-device");
    await world.engine.handleGone("ann-device");
    await world.pass(graceMs);

    expect(presenceOf(bob)).toEqual(["online", "offline"]);
    expect(world.factsOf("presence").map(({ presence }) => presence)).toEqual(["online", "offline"]);
  });

  it("goes on when a newer connection of the client spoke before the broker told of the older one's end", async () => {
    const { world, bob, listening } = await behindBroker();

    await world.engine.handleGone("ann-device");
    await world.pass(leaseMs);
    const meanwhile = [presenceOf(bob), await isOnline(world, "ann")];
    listening.delete("ann");
    await world.engine.handleGone("ann-device");
    await world.pass(graceMs);

    expect(meanwhile).toEqual([["online"], true]);
    expect(presenceOf(bob)).toEqual(["online", "offline"]);
  });
});
