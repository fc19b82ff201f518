import { connect } from "@chat21/client-sdk";
import { expect, test } from "vitest";
import { textsOf } from "./person.ts";
import { useWorld } from "./use-world.ts";

const world = useWorld();

/** Messages to one person, from many. */
async function hearFrom(reader: string, count: number): Promise<void> {
  for (let number = 0; number < count; number += 1) {
    const sender = `${reader}-friend-${number}`;
    const chat = await connect({ url: world.server.url, token: await world.developmentToken(sender) });
    await chat.send(reader, { text: `hello from ${number};` });
    await chat.close();
  }
}

test("the archive can be undone, searched, and left", async () => {
  await hearFrom("ada-archive", 2);
  const ada = await world.join("Ada Archive");
  const [zero, one] = ["ada-archive-friend-0", "ada-archive-friend-1"];

  await ada.row(one).hover();
  await ada.page.getByRole("button", { name: `Archive ${one}` }).click();
  await ada.row(one).waitFor({ state: "hidden" });
  await ada.page.getByRole("button", { name: "Undo" }).click();
  await ada.row(one).waitFor();

  await ada.row(zero).getByRole("link").focus();
  await ada.page.keyboard.press("Tab");
  await ada.page.keyboard.press("Enter");
  await ada.row(zero).waitFor({ state: "hidden" });
  // The focus is not lost with the row.
  expect(await ada.page.evaluate(() => document.activeElement?.textContent)).toContain(one);

  await ada.page.getByRole("searchbox").fill("hello from 0");
  await ada.row(zero).getByText("Archived").waitFor();
  await ada.row(zero).getByRole("link").click();
  await expect.poll(() => textsOf(ada)).toEqual(["hello from 0;"]);
  await ada.page.getByRole("button", { name: "Conversation", exact: true }).click();
  await ada.page.getByRole("menuitem", { name: "Take out of the archive" }).click();
  await ada.row(zero).getByText("Archived").waitFor({ state: "hidden" });
  await ada.page.getByRole("button", { name: "Clear the search" }).click();
  await ada.row(zero).waitFor();
  expect(ada.problems).toEqual([]);
});

test("a link to a conversation far down the list scrolls to it", async () => {
  await hearFrom("ada-link", 12);
  const ada = await world.join("Ada Link", { viewport: { width: 1280, height: 420 } });
  await expect.poll(() => ada.page.locator(".conversation").count()).toBe(12);

  await ada.page.evaluate(() => {
    location.hash = "#/ada-link-friend-0";
  });
  await expect.poll(() => textsOf(ada)).toEqual(["hello from 0;"]);
  await ada.page.reload();

  const isInView = () =>
    ada.row("ada-link-friend-0").evaluate((row) => {
      const { top, bottom } = row.getBoundingClientRect();
      return top >= 0 && bottom <= innerHeight;
    });
  await expect.poll(isInView).toBe(true);
  expect(ada.problems).toEqual([]);
});

test("what waits to be sent shows in the list", async () => {
  const cable = await world.layCable();
  const ada = await world.join("Ada Waits", { url: cable.url });
  await ada.startConversation("grace-waits");
  cable.cut();
  await ada.page.getByText("Connection lost.").waitFor();

  await ada.write("in a tunnel");

  await ada.row("grace-waits").getByText("Waiting: in a tunnel").waitFor();
  cable.mend();
  await ada.row("grace-waits").getByText("You: in a tunnel").waitFor();
});

test.each([
  ["an hour ahead", 3_600_000],
  ["26 hours behind", -26 * 3_600_000],
])("times are those of the server on a machine that is %s", async (_what, offMs) => {
  const name = offMs > 0 ? "Ada Ahead" : "Ada Behind";
  const ada = await world.visit();
  await ada.context.addInitScript((ms) => {
    const { now } = Date;
    Date.now = () => now() + ms;
  }, offMs);
  await ada.page.reload();
  await ada.page.getByRole("textbox", { name: "Your name" }).fill(name);
  await ada.page.getByRole("button", { name: "Start chatting" }).click();
  await ada.page.getByText("Loading your conversations…").waitFor({ state: "hidden" });
  const id = name.toLowerCase().replace(" ", "-");

  await hearFrom(id, 1);
  await ada.row(`${id}-friend-0`).getByRole("link").click();

  await expect.poll(() => ada.row(`${id}-friend-0`).locator("time").textContent()).toBe("now");
  await ada.page.getByRole("heading", { level: 3, name: "Today" }).waitFor();
  expect(await ada.page.getByRole("heading", { level: 3 }).allTextContents()).toEqual(["Today"]);
  expect(ada.problems).toEqual([]);
});

test("the open conversation is told apart in forced colours", async () => {
  await hearFrom("ada-forced", 1);
  const ada = await world.join("Ada Forced", { forcedColors: "active" });
  const link = ada.row("ada-forced-friend-0").getByRole("link");
  const outline = () => link.evaluate((element) => getComputedStyle(element).outlineStyle);

  expect(await outline()).toBe("none");
  await link.click();
  await ada.composer.focus();

  await expect.poll(outline).toBe("solid");
  expect(ada.problems).toEqual([]);
});

test("1,000 conversations, some of 64 kB texts, come without a request for each, and one opens at once", async () => {
  const sender = await connect({
    url: world.server.url,
    token: await world.developmentToken("ada-many"),
    sendWindow: 50,
  });
  const textOf = (number: number) =>
    number % 10 === 0 ? "long words ".repeat(5_900) : `hello to ${number};`;
  await Promise.all(
    Array.from({ length: 1_000 }, (_, number) => sender.send(`person-${number}`, { text: textOf(number) })),
  );
  await sender.close();
  const ada = await world.join("ada-many");
  let asked = 0;
  ada.page.on("request", (request) => {
    if (/\/events\?/u.test(request.url())) asked += 1;
  });
  await ada.page.reload();

  await expect.poll(() => ada.page.locator(".conversation").count(), { timeout: 20_000 }).toBe(1_000);
  await ada.row("person-990").getByRole("link").click();
  await ada.bubbles.getByRole("button", { name: "Show all" }).waitFor();
  expect(asked).toBeLessThan(5);
  expect(ada.problems).toEqual([]);
});
