import type { DatabaseSync } from "node:sqlite";
import { eventCodes } from "@chat21/protocol";
import { expect, it } from "vitest";
import { openForWriting } from "../src/worker/connection.ts";
import { ConversationEnds } from "../src/worker/conversation-ends.ts";
import { createReaderMethods } from "../src/worker/reader-methods.ts";
import { createWriter } from "../src/worker/writer-methods.ts";
import { useTemporaryFolder } from "./temporary-folder.ts";

const folder = useTemporaryFolder();

/** Every statement that the store prepares, as it is written in its source. */
async function preparedStatements() {
  const setup = { kinds: eventCodes, ends: ConversationEnds.allocate() };
  const database = openForWriting(await folder.path(), {
    ...{ ...setup, maxBytes: undefined, newEpoch: () => "epoch" },
  });
  const statements = new Set<string>();
  const recorder = new Proxy(database, {
    get(target, name) {
      if (name !== "prepare") return Reflect.get(target, name, target);
      return (sql: string) => {
        statements.add(sql);
        return target.prepare(sql);
      };
    },
  });
  createWriter(recorder, setup);
  createReaderMethods(recorder, setup);
  return { database, statements: [...statements] };
}

function planOf(database: DatabaseSync, sql: string): string[] {
  return database
    .prepare(`EXPLAIN QUERY PLAN ${sql}`)
    .all()
    .map((row) => String(row["detail"]));
}

it("reads every table by key: no statement walks through a whole table", async () => {
  const { database, statements } = await preparedStatements();

  const scans = statements.flatMap((sql) =>
    planOf(database, sql)
      .filter((detail) => /^SCAN (?!CONSTANT|\(subquery)/.test(detail))
      .map((detail) => ({ detail, sql: sql.replaceAll(/\s+/g, " ") })),
  );

  expect(statements.length).toBeGreaterThan(50);
  // Lists of deliveries go from the newest backwards and stop at their limit; an id is looked up by key.
  expect(
    scans.filter(({ sql }) => !/FROM webhook_delivery .*ORDER BY position DESC LIMIT :limit/.test(sql)),
  ).toEqual([]);
  database.close();
});

it("finds events that are no messages, and rows that have changed, by their indexes", async () => {
  const { database, statements } = await preparedStatements();

  const plansOf = (pattern: RegExp) =>
    statements.filter((sql) => pattern.test(sql)).map((sql) => planOf(database, sql).join(" | "));

  expect(plansOf(/type = \? AND type <> 0/)).toEqual([
    expect.stringMatching(
      /^SEARCH event USING COVERING INDEX event_beside_messages \(type=\? AND conversation>\?\)$/,
    ),
  ]);
  const changed = plansOf(/WHERE account = \? AND changed > \?|max\(changed\)/);
  expect(changed).toHaveLength(2);
  for (const plan of changed) expect(plan).toMatch(/^SEARCH member USING (COVERING )?INDEX member_changed /);
  const withOverlays = plansOf(/LEFT JOIN overlay o/);
  expect(withOverlays.length).toBeGreaterThan(5);
  for (const plan of withOverlays)
    expect(plan).toMatch(/SEARCH o USING PRIMARY KEY \(conversation=\? AND seq=\?\)/);
  const inSpans = plansOf(/e\.seq BETWEEN/);
  expect(inSpans.length).toBeGreaterThan(0);
  for (const plan of inSpans)
    expect(plan).toMatch(/^SEARCH e USING PRIMARY KEY \(conversation=\? AND seq>\? AND seq<\?\)/);
  database.close();
});

it("looks for a message's name among the newest events only, however long the conversation is", async () => {
  const { database, statements } = await preparedStatements();

  const plans = statements
    .filter((sql) => sql.includes("message_hash ="))
    .map((sql) => planOf(database, sql));

  expect(plans).toEqual([
    [
      "SEARCH event USING PRIMARY KEY (conversation=? AND seq>?)",
      "SCALAR SUBQUERY 1",
      "SEARCH event USING PRIMARY KEY (conversation=?)",
    ],
  ]);
  database.close();
});

it("syncs every commit to the disk", async () => {
  const { database } = await preparedStatements();

  const pragma = (name: string) => Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0];

  expect([pragma("journal_mode"), pragma("synchronous"), pragma("secure_delete")]).toEqual(["wal", 2, 1]);
  database.close();
});

it("finds tails, unread counts and pages of a conversation in the order of its key", async () => {
  const { database, statements } = await preparedStatements();

  const sorted = statements.filter((sql) =>
    planOf(database, sql).some((detail) => detail.startsWith("USE TEMP B-TREE")),
  );

  // What is sorted: a user's own groups by name, and the dead rows of the outbox, which are few.
  const expected = [
    /WHERE m\.account = \? AND c\.name > \? AND c\.group_name IS NOT NULL/,
    /INDEXED BY webhook_dead/,
    /presence_lease WHERE expires_at <= \? LIMIT/,
  ];
  expect(sorted.filter((sql) => !expected.some((pattern) => pattern.test(sql)))).toEqual([]);
  database.close();
});
