import { setTimeout as delay } from "node:timers/promises";
import { describeLeaseStore } from "@chat21/testkit";
import { requireMongo } from "@chat21/testkit/services";
import { connectMongoStore, migrateMongoStore } from "../src/index.ts";
import { dropDatabase } from "./test-database.ts";

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
