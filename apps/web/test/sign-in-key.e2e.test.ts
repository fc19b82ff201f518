import { expect, test } from "vitest";
import { useWorld } from "./use-world.ts";

const world = useWorld();

test("the printed address signs in by a name alone, and its key is not seen any more", async () => {
  const ada = await world.visit();
  expect(await ada.page.evaluate(() => location.href)).not.toContain("key");
  await ada.page.getByRole("textbox", { name: "Your name" }).fill("Ada Key");
  await ada.page.getByRole("button", { name: "Start chatting" }).click();
  await ada.page.getByRole("heading", { level: 1, name: "Ada Key" }).waitFor();

  await ada.page.reload();

  await ada.page.getByRole("heading", { level: 1, name: "Ada Key" }).waitFor();
  const second = await ada.context.newPage();
  await second.goto(world.server.url);
  await second.getByRole("textbox", { name: "Your name" }).fill("Ada Second");
  await second.getByRole("button", { name: "Start chatting" }).click();
  await second.getByRole("heading", { level: 1, name: "Ada Second" }).waitFor();
  expect(ada.problems).toEqual([]);
});

test("another address asks for the key: a wrong one is told, and the printed address may be pasted", async () => {
  const eve = await world.visit("/", { hasKey: false });
  await eve.page.getByRole("textbox", { name: "Your name" }).fill("Eve Key");
  const start = eve.page.getByRole("button", { name: "Start chatting" });
  await start.click();
  const field = eve.page.getByRole("textbox", { name: "Sign-in key" });
  await field.waitFor();
  expect(await field.evaluate((element) => element === document.activeElement)).toBe(true);
  await field.fill("guessed");
  await start.click();
  await eve.page.getByText("This is not the key of this server.").waitFor();

  await field.fill(world.server.signInUrl ?? "");
  await start.click();

  await eve.page.getByRole("heading", { level: 1, name: "Eve Key" }).waitFor();
  expect(eve.problems.filter((problem) => !problem.includes("403"))).toEqual([]);
});

test("the printed address, opened where the page is already, gives the page its key", async () => {
  const joan = await world.visit("/", { hasKey: false });
  await joan.page.getByRole("textbox", { name: "Your name" }).fill("Joan Key");

  await joan.page.goto(world.server.signInUrl ?? "");
  await joan.page.getByRole("button", { name: "Start chatting" }).click();

  await joan.page.getByRole("heading", { level: 1, name: "Joan Key" }).waitFor();
  expect(await joan.page.evaluate(() => location.href)).not.toContain("key");
});
