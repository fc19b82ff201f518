import fc from "fast-check";
import { expect, test } from "vitest";
import { SyncWorld } from "./support/sync-world.ts";

const conversation = fc.constantFrom("alice.bob", "alice.carol", "group-1");
const sender = fc.constantFrom("alice", "bob", "carol");

const step = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(fc.constant("append" as const), conversation, sender, fc.boolean()) },
  {
    weight: 8,
    arbitrary: fc.tuple(
      fc.constant("deliver" as const),
      fc.constantFrom("once", "once", "twice", "swapped", "lost"),
    ),
  },
  {
    weight: 6,
    arbitrary: fc.tuple(
      fc.constant("respond" as const),
      fc.constantFrom("answer", "answer", "answer", "fail"),
    ),
  },
  { weight: 2, arbitrary: fc.tuple(fc.constant("connect" as const)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("disconnect" as const)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("check" as const)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("join" as const)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("tick" as const)) },
);

const restore = fc.tuple(fc.constant("restore" as const), fc.constantFrom(0, 0.3, 0.6, 1));

type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;
type Restore = typeof restore extends fc.Arbitrary<infer Value> ? Value : never;

async function run(world: SyncWorld, steps: readonly (Step | Restore)[]): Promise<void> {
  for (const [name, ...rest] of steps) {
    if (name === "append") {
      const [to, from, hidden] = rest as [string, string, boolean];
      const isMember = to.startsWith("group-") || to.split(".").includes(from);
      world.append(to, isMember ? from : "alice", hidden);
    } else if (name === "deliver") world.deliver(rest[0] as "once");
    else if (name === "respond") await world.respond(rest[0] as "answer");
    else if (name === "connect") world.connect();
    else if (name === "disconnect") await world.disconnect();
    else if (name === "check") world.check();
    else if (name === "restore") world.restore(rest[0] as number);
    else if (name === "join") world.join("group-1");
    else await world.clock.advance(150);
  }
  await world.quiesce();
}

function openWorld(maxCatchUp = 1_000): SyncWorld {
  const world = new SyncWorld({ pageEvents: 3, maxCatchUp });
  world.log.join("group-1", ["bob", "carol"]);
  return world;
}

test("every event is handed on once, in order and without a gap, whatever gets lost, repeated, reordered or refused", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 80, size: "max" }), async (steps) => {
      const world = openWorld();

      await run(world, steps);

      expect(world.faults()).toEqual([]);
      expect(world.errors).toEqual([]);
    }),
    { numRuns: 2000 },
  );
}, 60_000);

test("nothing is left out or repeated between two resets, also when the server is restored from a backup or far ahead", async () => {
  const steps = fc.array(fc.oneof({ weight: 20, arbitrary: step }, { weight: 1, arbitrary: restore }), {
    maxLength: 120,
    size: "max",
  });
  await fc.assert(
    fc.asyncProperty(steps, async (given) => {
      const world = openWorld(6);

      await run(world, given);

      expect(world.faults()).toEqual([]);
    }),
    { numRuns: 2000 },
  );
}, 60_000);
