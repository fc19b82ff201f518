import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compatToken, RestCaller } from "@chat21/testkit";
import { requireMongo, requireRabbit } from "@chat21/testkit/services";
import { type Db, MongoClient } from "mongodb";
import { expect, it, onTestFinished } from "vitest";
import { databaseUri } from "./start-cluster.ts";
import { startNode } from "./start-nodes.ts";

/** Puts every collection of `from`, with its indexes, into `to`, as mongodump and mongorestore with `--drop` do. */
async function copyDatabase(from: Db, to: Db): Promise<void> {
  await to.dropDatabase();
  for (const { name } of await from.listCollections({}, { nameOnly: true }).toArray()) {
    const [documents, indexes] = await Promise.all([
      from.collection(name).find().toArray(),
      from.collection(name).indexes(),
    ]);
    const target = await to.createCollection(name);
    if (documents.length > 0) await target.insertMany(documents);
    for (const { v: _, key, ...options } of indexes) {
      if (options.name !== "_id_") await target.createIndex(key, options);
    }
  }
}

/** The steps of "Backup and restore" in docs/cluster.md. */
it("nodes go on from a restored database, and clients hear that the history is another one", async () => {
  const [rabbit, mongo] = await Promise.all([requireRabbit(), requireMongo()]);
  const folder = await mkdtemp(join(tmpdir(), "chat21-node-restore-"));
  const mongoUri = databaseUri(mongo.uri, mongo.database);
  const client = await MongoClient.connect(mongo.uri);
  const [live, backup] = [client.db(mongo.database), client.db(`${mongo.database}_backup`)];
  onTestFinished(async () => {
    await backup.dropDatabase();
    await client.close();
    await rm(folder, { recursive: true, force: true });
  });
  /** Runs a node while `run` does something with its REST as ann. */
  const serve = async <Result>(name: string, run: (rest: RestCaller) => Promise<Result>): Promise<Result> => {
    const common = { rabbitUri: rabbit.uri, mongoUri, folder, restarts: false };
    const { process: node, topology } = await startNode({ ...common, name });
    try {
      return await run(new RestCaller(topology.apiUrl, compatToken("ann", { secret: topology.secret })));
    } finally {
      await node.stop();
    }
  };
  const send = (rest: RestCaller, text: string) =>
    rest.post("v1/tilechat/conversations/bob/messages", { text, client_message_id: text });
  const textsOf = async (rest: RestCaller) => {
    const { body } = await rest.get("v1/tilechat/conversations/bob/events");
    return (body.events as { seq: number; message: { text: string } }[]).map(({ seq, message }) => [
      seq,
      message.text,
    ]);
  };
  const sync = async (rest: RestCaller, cursor?: string) =>
    (await rest.post("v1/tilechat/sync", cursor === undefined ? {} : { cursor })).body;

  await serve("before", (rest) => send(rest, "kept"));
  await copyDatabase(live, backup);
  const known = await serve("later", async (rest) => {
    await send(rest, "lost");
    return sync(rest);
  });
  await copyDatabase(backup, live);
  await live
    .collection<{ _id: string }>("chat21_schema")
    .updateOne({ _id: "schema" }, { $set: { epoch: randomUUID() } });
  const after = await serve("restored", async (rest) => {
    const restored = await textsOf(rest);
    const answer = await sync(rest, known.cursor);
    await send(rest, "new");
    return { restored, answer, goesOn: await textsOf(rest) };
  });

  expect(known.conversations[0].state.head).toBe(2);
  expect(after.restored).toEqual([[1, "kept"]]);
  expect(after.answer).toMatchObject({ reset: true, conversations: [{ state: { head: 1 } }] });
  expect(after.answer.epoch).not.toBe(known.epoch);
  expect(after.goesOn).toEqual([
    [1, "kept"],
    [2, "new"],
  ]);
});
