import { DatabaseSync } from "node:sqlite";
import type { EventLog, EventRange, Run } from "@chat21/engine";
import { eventCodes } from "@chat21/protocol";
import { expect, it } from "vitest";
import { directRun } from "./sample-runs.ts";
import { useTemporaryFolder } from "./temporary-folder.ts";

const folder = useTemporaryFolder();

/** The highest code that there can be. */
const newer = { ...eventCodes, moon_phase: 62 };

function typedRun(type: string, expectedHead: number): Run {
  const run = directRun("bob", expectedHead);
  return { ...run, events: run.events.map((event) => ({ ...event, type })) };
}

const typesOf = async ({ read }: EventLog, range: Partial<EventRange> = {}) =>
  (await read({ app: "app", conversation: "ann.bob", limit: 9, from: "oldest", ...range })).map(
    ({ type }) => type,
  );

it("keeps a kind that the program brings, and finds it by its name", async () => {
  const { events } = await folder.open({ kinds: newer });

  await events.commit([directRun("bob", 0)]);
  await events.commit([typedRun("moon_phase", 1)]);

  expect(await typesOf(events)).toEqual(["message", "moon_phase"]);
  expect(await typesOf(events, { types: ["moon_phase"] })).toEqual(["moon_phase"]);
  expect(await typesOf(events, { types: ["message"] })).toEqual(["message"]);
});

it("refuses a program that lacks a kind which the database may hold, and names it", async () => {
  await (await folder.open({ kinds: newer })).close();

  await expect(folder.open()).rejects.toMatchObject({
    name: "ChatError",
    code: "internal",
    message: expect.stringMatching(
      /chat21\.db holds events of the kind moon_phase \(code 62\), which this version does not know: use the version that wrote it/,
    ),
  });

  const again = await folder.open({ kinds: newer });
  expect(await again.events.commit([typedRun("moon_phase", 0)])).toMatchObject([{ status: "committed" }]);
});

it("refuses a program that gives a kind another number", async () => {
  await (await folder.open({ kinds: newer })).close();

  await expect(folder.open({ kinds: { ...eventCodes, moon_phase: 61 } })).rejects.toMatchObject({
    message: expect.stringMatching(/moon_phase \(code 62\)/),
  });
});

it("reads a kind by its number that a newer process has written meanwhile", async () => {
  const { events } = await folder.open();
  await events.commit([directRun("bob", 0, 2)]);
  const database = new DatabaseSync(await folder.path());
  database.exec("UPDATE event SET type = 62 WHERE seq = 2");
  database.close();

  expect(await typesOf(events)).toEqual(["message", "#62"]);
  expect(await typesOf(events, { types: ["message"] })).toEqual(["message"]);
  expect((await events.undispatched(9, 9_999)).map(({ type }) => type)).toEqual(["message", "#62"]);
});

it("refuses to store a kind that the program does not know", async () => {
  const { events } = await folder.open();

  await expect(events.commit([typedRun("moon_phase", 0)])).rejects.toMatchObject({ code: "internal" });

  expect(await typesOf(events)).toEqual([]);
  expect(await events.commit([directRun("bob", 0)])).toMatchObject([{ status: "committed" }]);
});
