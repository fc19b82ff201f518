import { randomUUID } from "node:crypto";
import { describeStore } from "@chat21/testkit";
import { requireMongo } from "@chat21/testkit/services";
import { describe } from "vitest";
import { connectMongoStore, migrateMongoStore } from "../src/index.ts";
import { ageApp, keepInOrder } from "./age-app.ts";
import { dropDatabase } from "./test-database.ts";

describe.each(["event", "process"] as const)("with a dispatch mark of each %s", (dispatchMarks) => {
  describeStore("MongoDB store", async () => {
    const { uri } = await requireMongo();
    const options = {
      uri,
      database: `chat21-test-${randomUUID().slice(0, 8)}`,
      dispatchMarks,
      headSweepMs: 100,
    };
    await migrateMongoStore(options);
    let store = await connectMongoStore(options);
    return {
      store,
      async reopen() {
        await store.close();
        store = await connectMongoStore(options);
        return store;
      },
      async age(app) {
        // Writes the heads that travel behind the commits.
        await store.conversations.changes({ app, user: "ann", limit: 1, eventsEach: 0, characters: 1 });
        await store.events.flushDispatchMarks();
        await keepInOrder(options, app, "ann");
        await ageApp(options, app);
      },
      async cleanup() {
        await store.close();
        await dropDatabase(options);
      },
    };
  });
});
