import fc from "fast-check";
import { expect, test } from "vitest";
import { OutboxWorld } from "./support/outbox-world.ts";

const step = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(fc.constant("add" as const), fc.constantFrom("bob", "carol")) },
  {
    weight: 8,
    arbitrary: fc.tuple(fc.constant("take" as const), fc.constantFrom("store", "store", "lose", "refuse")),
  },
  {
    weight: 8,
    arbitrary: fc.tuple(fc.constant("comeBack" as const), fc.constantFrom("once", "once", "twice", "lost")),
  },
  { weight: 3, arbitrary: fc.tuple(fc.constant("online" as const), fc.constant("")) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("offline" as const), fc.constant("")) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("replace" as const), fc.constant("")) },
  { weight: 2, arbitrary: fc.tuple(fc.constant("tick" as const), fc.constant("")) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("crash" as const), fc.constant("")) },
);

type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

async function run(world: OutboxWorld, steps: readonly Step[]): Promise<void> {
  for (const [name, argument] of steps) {
    if (name === "add") await world.add(argument);
    else if (name === "take") await world.take(argument as "store");
    else if (name === "comeBack") world.comeBack(argument as "once");
    else if (name === "online") world.setOnline(true);
    else if (name === "offline") world.setOnline(false);
    else if (name === "replace") world.outbox.resend();
    else if (name === "crash") await world.crash();
    else await world.clock.advance(3_000);
  }
  await world.quiesce();
}

const steps = fc.array(step, { maxLength: 80, size: "max" });

test("what the storage has taken is stored by the server once, and in send order, whatever gets lost or dies", async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (given) => {
      const world = await OutboxWorld.open(1);

      await run(world, given);

      for (const recipient of ["bob", "carol"]) {
        const accepted = world.accepted.filter(({ to }) => to === recipient).map(({ id }) => id);
        expect(await world.stored(recipient)).toEqual(accepted);
      }
      expect(world.left).toBe(0);
      expect(world.outbox.list()).toEqual([]);
    }),
    { numRuns: 200 },
  );
}, 60_000);

test("a wider window loses and doubles nothing, and every answer is the number that the message has", async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (given) => {
      const world = await OutboxWorld.open(4);

      await run(world, given);

      for (const recipient of ["bob", "carol"]) {
        const accepted = world.accepted.filter(({ to }) => to === recipient).map(({ id }) => id);
        expect([...(await world.stored(recipient))].sort()).toEqual([...accepted].sort());
      }
      for (const { id, seq } of world.resolved) expect(await world.numberOf(id)).toBe(seq);
      expect(world.left).toBe(0);
    }),
    { numRuns: 200 },
  );
}, 60_000);
