import { expect, test } from "vitest";
import { textsOf } from "./person.ts";
import { useWorld } from "./use-world.ts";

const world = useWorld();
const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true } as const;

test("a phone shows one pane at a time, with a way back, and nothing wider than itself", async () => {
  const ada = await world.join("Ada", phone);
  const grace = await world.join("Grace");
  await grace.startConversation("ada");
  await grace.write(`A word that does not end: ${"o".repeat(300)}`);
  const width = () => ada.page.evaluate(() => document.documentElement.scrollWidth);

  const list = ada.page.getByRole("complementary", { name: "Conversations" });
  await ada.row("Grace").getByRole("link").tap();
  await expect.poll(async () => (await textsOf(ada)).length).toBe(1);
  expect(await list.isVisible()).toBe(false);
  expect(await width()).toBe(390);

  await ada.composer.fill("one");
  await ada.composer.press("Enter");
  await ada.composer.pressSequentially("two");
  await ada.page.getByRole("button", { name: "Send" }).tap();
  await expect.poll(async () => (await textsOf(grace)).at(-1)).toBe("one\ntwo");

  await ada.page.getByRole("link", { name: "Back to the list" }).tap();
  await list.waitFor();
  expect(await ada.composer.isVisible()).toBe(false);
  expect(await width()).toBe(390);
  expect([...ada.problems, ...grace.problems]).toEqual([]);
});

test("Back leads from a group's details to the conversation, and from there to the list", async () => {
  const ada = await world.join("Ada Back", phone);
  await ada.page.getByRole("button", { name: "Start something new" }).tap();
  await ada.page.getByRole("menuitem", { name: "New group" }).tap();
  await ada.page.getByRole("textbox", { name: "Name", exact: true }).fill("Crew");
  await ada.page.getByRole("button", { name: "Create group" }).tap();
  await ada.page.getByRole("button", { name: "Group details" }).tap();
  const panel = ada.page.getByRole("complementary", { name: "Group details" });
  await panel.waitFor();

  await ada.page.goBack();
  await panel.waitFor({ state: "hidden" });
  expect(await ada.composer.isVisible()).toBe(true);
  await ada.page.goBack();

  await ada.page.getByRole("complementary", { name: "Conversations" }).waitFor();
  expect(await ada.composer.isVisible()).toBe(false);
  expect(ada.problems).toEqual([]);
});

test("dark colours and stillness follow what the system asks for", async () => {
  const ada = await world.join("Ada Dark", { ...phone, colorScheme: "dark", reducedMotion: "reduce" });
  const look = (name: string) =>
    ada.page.evaluate(
      (property) =>
        getComputedStyle(document.querySelector(".sidebar") as Element).getPropertyValue(property),
      name,
    );

  const dark = await look("background-color");
  expect(await look("--quick")).toBe("1ms");
  await ada.page.emulateMedia({ colorScheme: "light", reducedMotion: "no-preference" });

  expect(dark).not.toBe(await look("background-color"));
  expect(await look("--quick")).not.toBe("1ms");
  expect(ada.problems).toEqual([]);
});
