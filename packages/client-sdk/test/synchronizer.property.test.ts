import fc from "fast-check";
import { expect, test } from "vitest";
import { SyncWorld } from "./support/sync-world.ts";
import { actor } from "./support/test-server.ts";

const conversation = fc.constantFrom("bob", "carol", "group-1");
const sender = fc.constantFrom("alice", "bob", "carol");

const step = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(fc.constant("send" as const), conversation, sender, fc.boolean()) },
  {
    weight: 8,
    arbitrary: fc.tuple(
      fc.constant("deliver" as const),
      fc.constantFrom("once", "once", "twice", "swapped", "lost"),
    ),
  },
  {
    weight: 6,
    arbitrary: fc.tuple(fc.constant("respond" as const), fc.constantFrom("now", "now", "then", "fail")),
  },
  { weight: 2, arbitrary: fc.tuple(fc.constant("connect" as const)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("disconnect" as const)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("restart" as const)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("check" as const)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("join" as const)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("erase" as const), conversation) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("tick" as const)) },
);

const restore = fc.tuple(fc.constant("restore" as const), fc.constantFrom(0, 0.3, 0.6, 1));

type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;
type Restore = typeof restore extends fc.Arbitrary<infer Value> ? Value : never;

async function run(world: SyncWorld, steps: readonly (Step | Restore)[]): Promise<void> {
  for (const [name, ...rest] of steps) {
    if (name === "send") {
      const [to, from, isHidden] = rest as [string, string, boolean];
      if (to !== "group-1") {
        // A direct message of somebody else goes to alice; one of a third person is hers.
        if (from === to) await world.send("alice", from, isHidden);
        else await world.send(to, "alice", false);
      } else if (world.server.isMember(from, to)) await world.send(to, from, isHidden && from !== "alice");
    } else if (name === "deliver") world.deliver(rest[0] as "once");
    else if (name === "respond") await world.respond(rest[0] as "now");
    else if (name === "connect") await world.connect();
    else if (name === "disconnect") await world.disconnect();
    else if (name === "restart") await world.restart();
    else if (name === "check") world.check();
    else if (name === "restore") await world.restore(rest[0] as number);
    else if (name === "join") await world.join("group-1");
    else if (name === "erase") await world.erase(rest[0] as string);
    else await world.clock.advance(150);
  }
  await world.quiesce();
}

async function openWorld(maxCatchUp = 1_000, pageConversations = 1_000): Promise<SyncWorld> {
  const world = await SyncWorld.open({ pageConversations }, { pageEvents: 3, maxCatchUp });
  const group = { id: "group-1", name: "The group", members: ["bob", "carol"] };
  await world.server.engine.groups.create(actor("carol"), group);
  return world;
}

// An engine for every run: more of them are for whoever changes the synchronizer.
const numRuns = Number(process.env["CHAT21_PROPERTY_RUNS"] ?? 40);

const steps = fc.array(step, { maxLength: 80, size: "max" });

test.each([
  ["in one answer", 1_000],
  ["in one answer for each conversation", 1],
])(
  "every event is handed on once, in order and without a gap, whatever gets lost, repeated, reordered or refused: changes come %s",
  async (_, pageConversations) => {
    await fc.assert(
      fc.asyncProperty(steps, async (given) => {
        const world = await openWorld(1_000, pageConversations);

        await run(world, given);

        expect(await world.faults()).toEqual([]);
        expect(world.errors).toEqual([]);
      }),
      { numRuns },
    );
  },
  120_000,
);

test("nothing is left out or repeated between two resets, also when the server is restored from a backup or far ahead", async () => {
  const withRestores = fc.array(
    fc.oneof({ weight: 20, arbitrary: step }, { weight: 1, arbitrary: restore }),
    { maxLength: 120, size: "max" },
  );
  await fc.assert(
    fc.asyncProperty(withRestores, async (given) => {
      const world = await openWorld(6, 2);

      await run(world, given);

      expect(await world.faults()).toEqual([]);
    }),
    { numRuns },
  );
}, 120_000);
