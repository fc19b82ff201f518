import fc from "fast-check";
import { expect, it } from "vitest";
import type { LeaseWorld } from "./lease-world.ts";

/** Contract for random holders that want the same leases at the same time. */
export function describeLeaseRaces(world: LeaseWorld): void {
  it("gives a free name to exactly one of the holders that want it at once, and does not take it away", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(round, { minLength: 1, maxLength: 6 }), async (rounds) => {
        const prefix = world.fresh();
        const held = new Map<string, string>();

        for (const calls of rounds) {
          const releases = calls.filter(({ isRelease }) => isRelease);
          const claims = calls.filter(({ isRelease }) => !isRelease);
          const storeOf = (index: number) => world.processes[index % world.processes.length] ?? world.one;
          await Promise.all(
            releases.map(({ holder, wanted }, index) =>
              storeOf(index).release(
                holder,
                wanted.map((name) => prefix + name),
              ),
            ),
          );
          for (const { holder, wanted } of releases) {
            for (const name of wanted) if (held.get(name) === holder) held.delete(name);
          }
          const answers = await Promise.all(
            claims.map(({ holder, wanted }, index) =>
              storeOf(index).acquire(
                holder,
                wanted.map((name) => prefix + name),
                ttlMs,
              ),
            ),
          );

          for (const name of names) {
            const wanting = claims.filter(({ wanted }) => wanted.includes(name));
            const given = claims.flatMap(({ holder, wanted }, index) =>
              answers[index]?.[wanted.indexOf(name)] === true ? [holder] : [],
            );
            const winners = new Set(given);
            const before = held.get(name);
            if (before !== undefined) expect([...winners].every((holder) => holder === before)).toBe(true);
            else expect(winners.size).toBe(wanting.length > 0 ? 1 : 0);
            const [winner] = winners;
            // The holder gets `true` each time, and every other one gets `false`.
            const holder = before ?? winner;
            expect(given).toEqual(
              wanting.flatMap((claim) => (claim.holder === holder ? [claim.holder] : [])),
            );
            if (winner !== undefined) held.set(name, winner);
          }
          const listed = await world.one.list(prefix);
          expect(listed.map(({ name, holder }) => [name, holder])).toEqual(
            [...held].map(([name, holder]) => [prefix + name, holder]).toSorted(),
          );
        }
      }),
      { numRuns: 60 },
    );
  }, 60_000);

  it("gives an expired lease to exactly one of the holders that wait for it", async () => {
    for (let attempt = 0; attempt < 5; attempt += 1) {
      const name = `${world.fresh()}x`;
      await world.one.acquire("dead", [name], 100);
      await world.elapse(100 + world.toleranceMs + 1);

      const answers = await Promise.all(
        holders.map((holder, index) =>
          (world.processes[index % world.processes.length] ?? world.one).acquire(holder, [name], ttlMs),
        ),
      );

      expect(answers.flat().filter(Boolean)).toHaveLength(1);
      const winner = holders[answers.findIndex(([isGiven]) => isGiven)];
      expect(await world.two.list(name)).toMatchObject([{ name, holder: winner }]);
    }
  });
}

const holders = ["a", "b", "c"] as const;
const names = ["x", "y", "z"] as const;

/** A lease that outlives every test. */
const ttlMs = 600_000;

/** The actions that all holders take at the same moment. */
const round = fc.array(
  fc.record({
    holder: fc.constantFrom(...holders),
    wanted: fc.uniqueArray(fc.constantFrom(...names), { minLength: 1 }),
    isRelease: fc.boolean(),
  }),
  { minLength: 1, maxLength: 5 },
);
