import { describeRedeliveryLog } from "@chat21/testkit";
import { requireMongo } from "@chat21/testkit/services";
import { connectMongoStore, migrateMongoStore } from "../src/index.ts";
import { dropDatabase } from "./test-database.ts";

describeRedeliveryLog("MongoDB redeliveries", async () => {
  const mongo = await requireMongo();
  await migrateMongoStore(mongo);
  const options = { ...mongo, dispatchMarks: "event" } as const;
  const [one, two] = await Promise.all([connectMongoStore(options), connectMongoStore(options)]);
  return {
    one,
    two,
    async cleanup() {
      await Promise.all([one.close(), two.close()]);
      await dropDatabase(mongo);
    },
  };
});
