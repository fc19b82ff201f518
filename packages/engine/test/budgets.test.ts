import { budgets, limits, waitingPublishes } from "@chat21/protocol";
import { describe, expect, it } from "vitest";
import { as, type Person, World } from "./world.ts";

/** Two people who share a conversation; what was told so far is forgotten. */
async function pair(): Promise<readonly [World, Person, Person, string]> {
  const world = await World.start({ rateLimits: true });
  const [ann, bob] = await world.people("ann", "bob");
  const { messageId } = await world.send("ann", "bob", { text: "hello" });
  ann.forget();
  bob.forget();
  return [world, ann, bob, messageId];
}

describe("The budget of messages", () => {
  it("is there unless the limits are off: a burst, and then so many a minute", async () => {
    const world = await World.start({ rateLimits: true });
    const send = () => world.send("ann", "bob", { text: "x" });
    for (let sent = 0; sent < budgets.message.burst; sent++) await send();

    await expect(send()).rejects.toMatchObject({
      code: "rate_limited",
      retryAfterMs: 60_000 / budgets.message.perMinute,
    });
    await world.clock.advance(1_000);
    for (let sent = 0; sent < budgets.message.perMinute / 60; sent++) await send();

    await expect(send()).rejects.toMatchObject({ code: "rate_limited" });
    expect(world.count("rate_limited:message")).toBe(2);
  });

  it("counts characters, too: what one user writes to the disk is bounded", async () => {
    const world = await World.start({ rateLimits: true });
    const send = () => world.send("ann", "bob", { text: "x".repeat(90_000) });
    const fitting = Math.floor(budgets.message_characters.burst / 90_100);
    for (let sent = 0; sent < fitting; sent++) await send();

    await expect(send()).rejects.toMatchObject({ code: "rate_limited" });
    await world.clock.advance(60_000 * (90_100 / budgets.message_characters.perMinute));
    await send();

    expect(world.count("rate_limited:message_characters")).toBe(1);
  });

  it("is the same for all devices of a user and for REST", async () => {
    const world = await World.start({ messageRate: { capacity: 3, refillPerMinute: 60 } });
    const phone = await world.connect("ann", { clientId: "phone" });
    const laptop = await world.connect("ann", { clientId: "laptop" });

    await phone.send("bob", { text: "1" });
    await laptop.send("bob", { text: "2" });
    await world.send("ann", "bob", { text: "3" });
    await phone.send("bob", { text: "4" });

    expect(world.log("ann.bob")).toHaveLength(3);
    expect(phone.answers).toMatchObject([{ code: "rate_limited" }]);
  });
});

describe("The budget of people whom a user reaches for the first time", () => {
  const most = budgets.first_contact.burst;
  const group = (name: string, count: number) => ({
    name,
    members: Array.from({ length: count }, (_, index) => `${name}-${index}`),
  });

  it("is shared by first messages, groups and members; conversations that have begun cost nothing", async () => {
    const world = await World.start({ rateLimits: true });
    await world.send("ann", "bob", { text: "hello" });
    await world.engine.groups.create(as("ann"), { id: "group-1", ...group("t", most - 3) });
    await world.engine.groups.addMember(as("ann"), "group-1", "late");
    await world.send("ann", "group-2", { text: "x", group: { members: { cid: 1 } } });

    const refused = { code: "rate_limited", retryAfterMs: 60_000 };
    await expect(world.send("ann", "dan", { text: "hello" })).rejects.toMatchObject(refused);
    await expect(world.engine.groups.addMember(as("ann"), "group-1", "more")).rejects.toMatchObject(refused);
    await expect(world.engine.groups.create(as("ann"), group("u", 1))).rejects.toMatchObject(refused);
    await world.send("ann", "bob", { text: "again" });
    await world.send("ann", "group-1", { text: "all" });
    await world.send("eve", "dan", { text: "hello" });

    await world.clock.advance(60_000);
    await world.send("ann", "dan", { text: "hello" });
    expect(world.log("ann.dan")).toHaveLength(1);
  });

  it("does not keep a user from one large group", async () => {
    const world = await World.start({ rateLimits: true });

    await world.engine.groups.create(as("ann"), group("t", most + 100));

    await expect(world.send("ann", "bob", { text: "hello" })).rejects.toMatchObject({ code: "rate_limited" });
  });

  it("is no matter for admins", async () => {
    const world = await World.start({ rateLimits: true });
    const admin = { ...as("desk"), admin: true };
    await world.engine.groups.create(admin, group("t", most));

    await world.engine.groups.create(admin, group("u", most));
  });
});

describe("A client that confirms more than its budget of receipts", () => {
  it("is slowed down: every receipt counts, in order, and none is refused", async () => {
    const [world, ann, bob, id] = await pair();
    const confirm = () => bob.receive("ann", id);
    for (let count = 0; count < budgets.receipt.burst; count++) await confirm();
    ann.forget();

    const settled: number[] = [];
    const late = [0, 1, 2].map((index) => confirm().then(() => settled.push(index)));
    await world.clock.advance(9);
    expect(settled).toEqual([]);
    await world.clock.advance(1_000);
    await Promise.all(late);

    expect(settled).toEqual([0, 1, 2]);
    expect(ann.bodies("message-updated")).toHaveLength(3);
    expect(bob.answers).toEqual([]);
    expect(world.count("rate_limited:receipt")).toBe(3);
  });

  it("does not wait when the process stops", async () => {
    const [world, ann, bob, id] = await pair();
    for (let count = 0; count < budgets.receipt.burst; count++) await bob.receive("ann", id);
    ann.forget();
    const late = bob.receive("ann", id);

    await world.engine.drain();
    await late;

    expect(ann.bodies("message-updated")).toHaveLength(1);
  });

  it("may let so many wait, and is refused beyond that", async () => {
    const [, , bob, id] = await pair();
    const all = budgets.receipt.burst + waitingPublishes + 1;

    for (let count = 0; count < all; count++) void bob.receive("ann", id);
    await bob.receive("ann", id);

    expect(bob.answers).toMatchObject([
      { code: "rate_limited", retry_after_ms: 1_000 },
      { code: "rate_limited", retry_after_ms: 1_000 },
    ]);
  });
});

describe("A client that comes and goes too often", () => {
  it("ends as its last word says", async () => {
    const [world, ann, bob] = await pair();
    const turns = budgets.presence.burst + 3;
    let last = Promise.resolve();

    for (let turn = 0; turn < turns; turn++)
      last = bob.announce(turn % 2 === 0 ? { connected: true } : { disconnected: true });
    await world.clock.advance(60_000);
    await last;

    expect(ann.bodies("ephemeral").at(-1)).toMatchObject({ user: "bob", presence: "online" });
    expect(world.count("rate_limited:presence")).toBe(3);
    expect(bob.answers).toEqual([]);
  });
});

describe("A client that changes its list too often", () => {
  it("pays for each conversation of a mark", async () => {
    const [world, , bob] = await pair();
    const marks = Array.from({ length: limits.marks }, () => ({ conversWith: "ann", read: 1 }));
    for (let paid = 0; paid < budgets.update.burst; paid += limits.marks)
      await bob.command({ type: "mark", marks });
    const answered = bob.answers.length;

    const late = bob.command({ type: "mark", marks });
    await world.clock.advance(999);
    expect(bob.answers).toHaveLength(answered);
    await world.clock.advance(1);
    await late;

    expect(bob.answers).toHaveLength(answered + 1);
    expect(bob.answers.at(-1)).toMatchObject({ code: "ok" });
  });
});

describe("A client that repeats what is refused", () => {
  it("is answered at once each time, but its publishes are settled late", async () => {
    const [world, , bob] = await pair();
    for (let count = 0; count < budgets.refusal.burst; count++) await bob.update("ann", {});
    let isSettled = false;

    const late = bob.update("ann", {}).then(() => {
      isSettled = true;
    });
    await world.clock.advance(0);
    await world.clock.advance(49);
    expect(bob.answers).toHaveLength(budgets.refusal.burst + 1);
    expect(isSettled).toBe(false);
    await world.clock.advance(1);

    await late;
  });
});

describe("Behind a broker that has the connections", () => {
  it("nothing waits, because that would hold up others: what is over the budget is refused", async () => {
    const world = await World.start({ rateLimits: true });
    world.edge.probe = async (users) => users.map(() => true);
    const [, bob] = await world.people("ann", "bob");
    const { messageId } = await world.send("ann", "bob", { text: "hello" });

    for (let count = 0; count <= budgets.receipt.burst; count++) await bob.receive("ann", messageId);

    expect(bob.answers).toMatchObject([{ code: "rate_limited", retry_after_ms: 10 }]);
  });
});
