import { createManualClock, createMemoryStore } from "@chat21/testkit";
import { expect, it } from "vitest";
import { watchStore } from "../src/index.ts";

it("turns red when the store does not answer, green when it does again, and says both once", async () => {
  const clock = createManualClock();
  const { users } = createMemoryStore();
  let answers = true;
  const lines: string[] = [];
  const log = {
    info: (_: object, message: string) => void lines.push(message),
    warn: (_: object, message: string) => void lines.push(message),
  };
  const get: typeof users.get = (app, id) =>
    answers ? users.get(app, id) : Promise.reject(new Error("gone"));
  const watch = watchStore({ store: { users: { get } }, clock, log });
  const after = async (seconds: number) => {
    await clock.advance(seconds * 1_000);
    await new Promise((resolve) => setImmediate(resolve));
    return watch.health();
  };

  const first = await after(2);
  answers = false;
  const second = await after(2);
  answers = true;
  const third = await after(2);
  watch.stop();
  answers = false;
  const last = await after(2);

  expect([first, second, third, last].map(({ reason }) => reason)).toEqual([
    "ok",
    "store_unavailable",
    "ok",
    "ok",
  ]);
  expect(lines).toEqual(["the store does not answer: not ready until it does", "the store answers again"]);
});
