import { setTimeout as delay } from "node:timers/promises";
import type { LeaseStore } from "@chat21/engine";
import { describeLeaseStore } from "@chat21/testkit";
import { requireMongo } from "@chat21/testkit/services";
import { expect, it } from "vitest";
import { connectMongoStore, migrateMongoStore } from "../src/index.ts";
import { electionTerm, stepDown } from "./elections.ts";
import { dropDatabase, withCollections } from "./test-database.ts";

describeLeaseStore("MongoDB leases", async () => {
  const mongo = await requireMongo();
  const toleranceMs = 20;
  const options = { ...mongo, clockToleranceMs: toleranceMs };
  await migrateMongoStore(options);
  const stores = await Promise.all([0, 1, 2].map(() => connectMongoStore(options)));
  return {
    processes: stores.map(({ leases }) => leases),
    toleranceMs,
    // The clock is the server's: there is nothing to do but wait.
    elapse: (elapsedMs) => delay(elapsedMs),
    async cleanup() {
      await Promise.all(stores.map((store) => store.close()));
      await dropDatabase(mongo);
    },
  };
});

it("gives a lease to another after its own time, when the server's clock was a day ahead as it was given", async () => {
  const mongo = await requireMongo();
  const options = { ...mongo, clockToleranceMs: 20 };
  await migrateMongoStore(options);
  const store = await connectMongoStore(options);
  await store.leases.acquire("dead", ["partition/1"], 300);
  await withCollections(mongo, ({ leases }) =>
    leases.updateMany({}, [{ $set: { expiresAt: { $add: ["$expiresAt", 24 * 60 * 60_000] } } }]),
  );

  const first = await store.leases.acquire("living", ["partition/1"], 300);
  const between = await store.leases.list("partition/");
  await delay(400);
  const second = await store.leases.acquire("living", ["partition/1"], 300);

  expect([first, second]).toEqual([[false], [true]]);
  expect(between[0]?.remainingMs).toBeLessThanOrEqual(320);
  await store.close();
  await dropDatabase(mongo);
});

/** What a holder believes: the lease is its own until `until` (ms of the test's clock), counted from before the call. */
interface Belief {
  readonly holder: string;
  until: number;
  renewals: number;
}

it("never gives a lease to two, whatever elections take place, and gives it on afterwards", async () => {
  const mongo = await requireMongo({ isOwn: true });
  await migrateMongoStore(mongo);
  const stores = await Promise.all([0, 1, 2].map(() => connectMongoStore(mongo)));
  const ttlMs = 1_500;
  const beliefs: Belief[] = stores.map((_, index) => ({
    holder: `observer-${index}`,
    until: 0,
    renewals: 0,
  }));
  const takers: string[] = [];
  const doubles: string[] = [];
  const failures: string[] = [];
  let isOver = false;

  async function live(own: Belief, leases: LeaseStore): Promise<void> {
    while (!isOver) {
      const calledAt = performance.now();
      const [isGiven] = await leases.acquire(own.holder, ["partition/0"], ttlMs).catch(({ code }) => {
        failures.push(code);
        return [false];
      });
      const now = performance.now();
      if (isGiven === true && calledAt + ttlMs > now) {
        const others = beliefs.filter((belief) => belief !== own && belief.until > now);
        doubles.push(...others.map(({ holder }) => `${own.holder} while ${holder}`));
        own.until = calledAt + ttlMs;
        own.renewals += 1;
        if (takers.at(-1) !== own.holder) takers.push(own.holder);
      }
      // Every now and then a holder falls silent without a word, as one that died.
      const isSilent = own.renewals >= 20;
      if (isSilent) own.renewals = 0;
      await delay(isSilent ? 2 * ttlMs : 50);
    }
  }

  const termBefore = await electionTerm(mongo);
  const living = stores.map(({ leases }, index) => live(beliefs[index] as Belief, leases));
  for (let round = 0; round < 3; round += 1) {
    await delay(3_000);
    await stepDown(mongo);
  }
  const takenBefore = takers.length;
  await expect.poll(() => takers.length).toBeGreaterThan(takenBefore + 1);
  isOver = true;
  await Promise.all(living);

  expect(doubles).toEqual([]);
  expect(await electionTerm(mongo)).toBeGreaterThanOrEqual(termBefore + 3);
  expect(failures.filter((code) => code !== "store_unavailable")).toEqual([]);
  await Promise.all(stores.map((store) => store.close()));
  await mongo.stop();
});
