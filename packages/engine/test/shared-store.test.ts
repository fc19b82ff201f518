import { conversationIdOf } from "@chat21/protocol";
import {
  createManualClock,
  createMemoryDisk,
  createMemoryLeases,
  createMemoryStore,
  type ManualClock,
  type MemoryDisk,
} from "@chat21/testkit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ModelBroker, type ModelConsumer } from "./model-broker.ts";
import { startProcess } from "./simulated-process.ts";
import { app, as, type Neighbours, World } from "./world.ts";

const conversation = conversationIdOf("ann", "bob");

async function storedTexts(disk: MemoryDisk): Promise<readonly string[]> {
  const events = await createMemoryStore({ disk }).events.read({
    ...{ app, conversation, limit: 1_000, from: "oldest" },
  });
  return events.map(({ body }) => JSON.parse(body).text as string);
}

const neighboursOf = (clock: ManualClock): Neighbours => ({
  leases: createMemoryLeases(clock),
  invalidated: [],
});

/** Lets time pass until something has happened. */
async function inTime(clock: ManualClock, happening: Promise<unknown>): Promise<void> {
  let hasHappened = false;
  void happening.finally(() => {
    hasHappened = true;
  });
  while (!hasHappened) {
    await new Promise((resolve) => setImmediate(resolve));
    await clock.advance(5);
  }
}

/** Texts in the order in which each was stored first. */
const firsts = (texts: readonly string[]) => [...new Set(texts)];

describe("A partition that another process takes over", () => {
  it("loses no message and keeps their order, whenever its owner dies or is paused", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.constantFrom("dies", "is paused"),
        fc.integer({ min: 0, max: 60 }),
        fc.boolean(),
        async (scheduler, ending, after, named) => {
          const disk = createMemoryDisk();
          const clock = createManualClock();
          const texts = Array.from({ length: 7 }, (_, n) => `m${n}`);
          const broker = new ModelBroker("ann", "bob", texts, named);
          const hold = (point: string) => scheduler.schedule(Promise.resolve(), point);
          const options = { disk, clock, facts: [], neighbours: neighboursOf(clock) };
          const old = await startProcess({ ...options, hold });
          const owner: ModelConsumer = { engine: old.engine, isCurrent: true };

          void broker.deliverTo(owner);
          const idle = () => new Promise((resolve) => setImmediate(resolve));
          for (let step = 0; step < after; step++) {
            await idle();
            if (scheduler.count() > 0) await scheduler.waitOne();
            else await clock.advance(25);
          }
          const cleared = new Set(
            (await storedTexts(disk)).filter(
              (_, i) => !disk.undispatched.has(`${app}\n${conversation}\n${i + 1}`),
            ),
          );
          if (ending === "dies") old.kill();
          broker.disconnect(owner);
          await clock.advance(2_000);

          const next = await startProcess({ ...options, hold });
          const heir: ModelConsumer = { engine: next.engine, isCurrent: true };
          const finished = next.engine.handleTakeover().then(() => broker.deliverTo(heir));
          let done = false;
          void finished.then(() => {
            done = true;
          });
          while (!done || scheduler.count() > 0) {
            await idle();
            if (scheduler.count() > 0) await scheduler.waitOne();
            else await clock.advance(50);
          }

          expect(broker.isEmpty).toBe(true);
          const stored = await storedTexts(disk);
          expect(firsts(stored)).toEqual(texts);
          // Twice only what was marked on disk, and not acknowledged, at the moment of the hand-over, and has no name.
          const twice = stored.filter((text, i) => stored.indexOf(text) !== i);
          const isDoubtful = (text: string) =>
            cleared.has(text) || broker.lateAcknowledgements.includes(text);
          expect(twice.filter((text) => named || !isDoubtful(text))).toEqual([]);
        },
      ),
      { numRuns: 300 },
    );
  }, 120_000);

  it("is stored once when the store pauses while marks are cleared, until the lease has run out", async () => {
    const disk = createMemoryDisk();
    const clock = createManualClock();
    const options = { disk, clock, facts: [], neighbours: neighboursOf(clock) };
    let wake = () => {};
    const paused = new Promise<void>((resolve) => {
      wake = resolve;
    });
    let isReached = () => {};
    const reached = new Promise<void>((resolve) => {
      isReached = resolve;
    });
    const hold = async (point: string) => {
      if (point !== "events.flushDispatchMarks:after") return;
      isReached();
      await paused;
    };
    const old = await startProcess({ ...options, hold });
    const broker = new ModelBroker("ann", "bob", ["m0", "m1"]);
    const owner: ModelConsumer = { engine: old.engine, isCurrent: true };

    const handled = broker.deliverTo(owner);
    await inTime(clock, reached);
    broker.disconnect(owner);
    wake();
    await handled;
    await clock.advance(2_000);
    const next = await startProcess(options);
    await next.engine.handleTakeover();
    await inTime(clock, broker.deliverTo({ engine: next.engine, isCurrent: true }));

    expect(broker.isEmpty).toBe(true);
    expect(await storedTexts(disk)).toEqual(["m0", "m1"]);
  });

  it("is told apart from a sender who says the same thing twice", async () => {
    const disk = createMemoryDisk();
    const clock = createManualClock();
    const options = { disk, clock, facts: [], neighbours: neighboursOf(clock) };
    const before = await startProcess({ ...options, killAt: 6 });
    const broker = new ModelBroker("ann", "bob", ["ok", "ok", "ok"]);
    const owner: ModelConsumer = { engine: before.engine, isCurrent: true };
    void broker.deliverTo(owner);
    while (!before.isDead()) await new Promise((resolve) => setImmediate(resolve));
    broker.disconnect(owner);
    await clock.advance(2_000);

    const after = await startProcess(options);
    await after.engine.handleTakeover();
    await inTime(clock, broker.deliverTo({ engine: after.engine, isCurrent: true }));

    expect(await storedTexts(disk)).toEqual(["ok", "ok", "ok"]);
  });
});

describe("What a process remembers of a conversation", () => {
  it("refuses nobody whom another process has let in since", async () => {
    const { one, two } = await pair();
    await one.createGroup("group-1", "ann", "bob");
    await expect(two.send("cid", "group-1", { text: "let me in" })).rejects.toMatchObject({
      code: "not_member",
    });

    await one.engine.groups.addMember(as("ann"), "group-1", "cid");

    await expect(two.send("cid", "group-1", { text: "thanks" })).resolves.toMatchObject({ repeated: false });
  });

  it("is not what is shown to readers", async () => {
    const { one, two } = await pair();
    await one.createGroup("group-1", "ann", "bob");
    await two.send("bob", "group-1", { text: "hi" });

    await one.engine.groups.rename(as("ann"), "group-1", "New name");

    expect(JSON.parse(await two.engine.groups.get(as("bob"), "group-1"))).toMatchObject({ name: "New name" });
  });

  it("keeps the order of what follows in a conversation while a refusal is looked at again", async () => {
    const { one, two } = await pair();
    await one.createGroup("group-1", "ann", "bob");
    await two.send("bob", "group-1", { text: "0" });
    await one.engine.groups.addMember(as("ann"), "group-1", "cid");

    await Promise.all(["1", "2", "3"].map((text) => two.send("cid", "group-1", { text })));

    expect((await two.textsOf("bob", "group-1")).slice(-3)).toEqual(["1", "2", "3"]);
  });

  it("forgets who archived when another process says that somebody did", async () => {
    const { one, two } = await pair();
    await two.send("ann", "bob", { text: "1" });
    await one.engine.conversations.archive(as("bob"), "bob", "ann");

    await two.send("ann", "bob", { text: "2" });

    expect(two.factsOf("unarchived")).toMatchObject([{ user: "bob", conversWith: "ann" }]);
  });
});

describe("A broker that does not take deliveries", () => {
  it("lets callers have their answer after five seconds, and the event stays undispatched", async () => {
    const clock = createManualClock();
    const world = await World.start({ clock, neighbours: neighboursOf(clock) });
    await world.people("bob");
    world.edge.taking = () => new Promise(() => {});
    const sending = world.send("ann", "bob", { text: "1" });
    let answered = false;
    void sending.then(() => {
      answered = true;
    });

    await world.pass(4_000);
    expect(answered).toBe(false);
    await world.pass(2_500);

    expect(await sending).toMatchObject({ seq: 1 });
    expect(world.disk.undispatched.size).toBe(1);
  });

  it("does not hold up the deliveries of the next batch", async () => {
    const clock = createManualClock();
    const world = await World.start({ clock, neighbours: neighboursOf(clock) });
    const [bob] = await world.people("bob");
    world.edge.taking = () => new Promise(() => {});
    void world.send("ann", "bob", { text: "1" });
    await world.rest();
    void world.send("ann", "bob", { text: "2" });
    await world.rest();

    expect(bob.texts()).toEqual(["1", "2"]);
  });
});

/** Two processes on one store. */
async function pair(): Promise<{ one: World; two: World }> {
  const disk = createMemoryDisk("epoch-1");
  const clock = createManualClock();
  const neighbours = neighboursOf(clock);
  const start = () => World.start({ disk, clock, neighbours });
  return { one: await start(), two: await start() };
}
