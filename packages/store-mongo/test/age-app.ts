import { vi } from "vitest";
import { listsSweptUpTo, maxPlacedMembers } from "../src/list-places.ts";
import { ticksPerSecond, toTicks, toTimestamp } from "../src/logical-time.ts";
import { type TestDatabase, withCollections } from "./test-database.ts";

/** Older than the stamps that reads look at beside those that were swept. */
const longAgo = 30 * ticksPerSecond;

/** As if the user had more conversations, and had asked for a list. */
export async function keepInOrder(database: TestDatabase, app: string, user: string): Promise<void> {
  await withCollections(database, ({ listReaders }) =>
    listReaders.updateOne({ _id: { app, user } }, { $setOnInsert: { placed: false } }, { upsert: true }),
  );
}

/**
 * Makes an app's changes older than they are: everything is dispatched, and all stamps are of long ago. Resolves when the
 * places in lists follow, of users who have any.
 */
export async function ageApp(database: TestDatabase, app: string): Promise<void> {
  await withCollections(
    database,
    async ({ conversations, counters, events, listReaders, members }, client) => {
      const { lastWrite } = await client.db("admin").command({ hello: 1 });
      const age = toTicks(lastWrite.majorityOpTime.ts) - longAgo;
      const stamp = toTimestamp(age);
      const ofApp = { "_id.app": app };
      const readers = await listReaders.find(ofApp).toArray();
      const behind = {
        account: { $in: readers.map(({ _id }) => _id) },
        ordinal: { $lte: maxPlacedMembers },
        $or: [
          { listed: { $exists: false } },
          { "listed.at": { $exists: true }, "listed.asOf": { $lt: stamp } },
        ],
      };
      await events.updateMany(ofApp, { $unset: { undispatched: "", by: "" } });
      await conversations.updateMany(ofApp, { $set: { changedAt: stamp } });
      const sweepAnew = () =>
        counters.updateOne({ _id: listsSweptUpTo }, { $set: { value: age - 1 } }, { upsert: true });
      await sweepAnew();
      await vi.waitUntil(
        async () => {
          const swept = await counters.findOne({ _id: listsSweptUpTo });
          if ((swept?.value ?? 0) < age + ticksPerSecond) return false;
          const unplaced = await listReaders.countDocuments({ ...ofApp, placed: false });
          if (unplaced + (await members.countDocuments(behind)) === 0) return true;
          // A sweep was under way that had begun before.
          await sweepAnew();
          return false;
        },
        { timeout: 20_000 },
      );
    },
  );
}
