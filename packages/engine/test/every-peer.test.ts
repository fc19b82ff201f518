import { expect, it } from "vitest";
import { admin, World } from "./world.ts";

const count = 1_005;
const name = (index: number) => `${index % 2 === 0 ? "a" : "z"}-${index}`;

it("erasing and clearing reach everybody, however many a user has spoken with", async () => {
  const world = await World.start();
  for (let index = 0; index < count; index += 1) await world.send("max", name(index), { text: "secret" });

  expect(await world.engine.conversations.clear(admin, "max")).toBe(count);
  expect(await world.list(name(0))).toEqual([]);
  expect(await world.list(name(count - 1))).toEqual([]);
  expect(await world.engine.messages.erase(admin, "max")).toBe(count);
  expect(await world.history(name(0), "max")).toEqual([]);
  expect(await world.history(name(count - 1), "max")).toEqual([]);
});
