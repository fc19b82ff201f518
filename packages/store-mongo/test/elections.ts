import { type TestDatabase, withCollections } from "./test-database.ts";

/** Makes the server resign; being alone it is elected again. */
export async function stepDown(mongo: TestDatabase): Promise<void> {
  await withCollections(mongo, (_, client) =>
    client.db("admin").command({ replSetStepDown: 1, force: true }),
  ).catch(() => {});
}

/** Grows with every election. */
export async function electionTerm(mongo: TestDatabase): Promise<number> {
  return withCollections(mongo, async (_, client) => {
    const { term } = await client.db("admin").command({ replSetGetStatus: 1 });
    return Number(term);
  });
}
