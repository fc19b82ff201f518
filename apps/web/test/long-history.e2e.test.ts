import { connect } from "@chat21/client-sdk";
import { expect, test } from "vitest";
import type { Person } from "./person.ts";
import { useWorld } from "./use-world.ts";

const world = useWorld();

async function sendMany(from: string, to: string, count: number, first = 0, rest = ""): Promise<void> {
  const sender = await connect({
    url: world.server.url,
    token: await world.developmentToken(from),
    sendWindow: 50,
  });
  await Promise.all(
    Array.from({ length: count }, (_, index) => sender.send(to, { text: `number ${first + index};${rest}` })),
  );
  await sender.close();
}

/** Signs in somebody who has read thirty messages to the end, and left the conversation. */
async function readThirty(reader: string, writer: string): Promise<Person> {
  await sendMany(writer, reader, 30);
  const person = await world.join(reader);
  await person.row(writer).getByRole("link").click();
  await person.page.getByRole("button", { name: /jump to the newest/ }).click();
  await person.row(writer).getByText("unread").waitFor({ state: "hidden" });
  await person.page.keyboard.press("Escape");
  return person;
}

/** The text of the first bubble below the unread divider, and the divider's place in the view. */
function divider(person: Person) {
  return person.page.getByRole("region", { name: "Messages" }).evaluate((view) => {
    const line = view.querySelector("[data-divider]");
    const below = [...view.querySelectorAll(".bubble")].find(
      (bubble) => line !== null && line.compareDocumentPosition(bubble) & Node.DOCUMENT_POSITION_FOLLOWING,
    );
    const place = (line?.getBoundingClientRect().top ?? Number.NaN) - view.getBoundingClientRect().top;
    return { below: below?.textContent?.match(/number \d+;/u)?.[0], place: Math.round(place) };
  });
}

test.for([57, 2_000])(
  "%i unread messages begin below the divider, where one has stopped to read",
  async (unread) => {
    const [reader, writer] = [`ada-${unread}`, `grace-${unread}`];
    const ada = await readThirty(reader, writer);
    await sendMany(writer, reader, unread, 30);
    await ada.unread(writer).waitFor();

    // A new window: it holds the newest messages only.
    await ada.page.reload();
    await ada.row(writer).getByRole("link").click();

    await expect.poll(() => divider(ada)).toEqual({ below: "number 30;", place: expect.any(Number) });
    const { place } = await divider(ada);
    expect(place).toBeGreaterThan(0);
    expect(place).toBeLessThan(200);
    await ada.page.getByRole("button", { name: /jump to the newest/ }).click();
    await ada.bubbles.filter({ hasText: `number ${29 + unread};` }).waitFor();
    await ada.unread(writer).waitFor({ state: "hidden" });
    expect(ada.problems).toEqual([]);
  },
);

/** How far the reader is from the foot, in pixels. */
function toFoot(person: Person) {
  return person.page
    .getByRole("region", { name: "Messages" })
    .evaluate((view) => Math.round(view.scrollHeight - view.scrollTop - view.clientHeight));
}

test("who scrolls is not thrown back by earlier messages that come in the same frame", async () => {
  const [reader, writer] = ["ada-frame", "grace-frame"];
  await sendMany(reader, writer, 400);
  // A new window holds the newest messages only.
  const ada = await world.join(reader);
  await ada.row(writer).getByRole("link").click();
  await ada.bubbles.filter({ hasText: "number 399;" }).waitFor();
  const held = Promise.withResolvers<void>();
  let isAsked = false;
  await ada.page.route("**/events?*", async (route) => {
    isAsked = true;
    await held.promise;
    await route.continue();
  });
  const view = ada.page.getByRole("region", { name: "Messages" });
  await expect
    .poll(async () => {
      await view.evaluate((element) => element.scrollTo(0, 0));
      return isAsked;
    })
    .toBe(true);

  // The browser tells of scrolling in its next frame: here it comes too late.
  await ada.page.evaluate(() =>
    addEventListener("scroll", (event) => event.stopImmediatePropagation(), true),
  );
  const goal = ada.bubbles.filter({ hasText: "number 395;" });
  await goal.evaluate((bubble) => bubble.scrollIntoView({ block: "start" }));
  const top = async () => (await goal.boundingBox())?.y ?? Number.NaN;
  const [before, count] = [await top(), await ada.bubbles.count()];
  held.resolve();
  await expect.poll(() => ada.bubbles.count()).toBeGreaterThan(count);
  expect(Math.abs((await top()) - before)).toBeLessThan(2);
  expect(ada.problems).toEqual([]);
});

test("who is at the foot reads what the client catches up with", async () => {
  const [reader, writer] = ["ada-behind", "grace-behind"];
  const ada = await readThirty(reader, writer);
  await sendMany(writer, reader, 100, 30);
  // The next window begins where this one has noted that it is.
  const notes = () => ada.page.evaluate(() => JSON.stringify({ ...sessionStorage }));
  await expect.poll(notes).toMatch(/positions.*"grace-behind\\*":{\\*"seq\\*":130/);
  await ada.page.goto("about:blank");
  await sendMany(writer, reader, 600, 130);
  const held = Promise.withResolvers<void>();
  await ada.page.route("**/events?after=*", async (route) => {
    await held.promise;
    await route.continue();
  });
  const isAsked = ada.page.waitForRequest("**/events?after=*");
  await ada.page.goto(world.server.url);
  await ada.row(writer).getByRole("link").click();
  await isAsked;
  await ada.page.getByRole("button", { name: /jump to the newest/ }).click();
  await ada.bubbles.filter({ hasText: "number 129;" }).waitFor();

  held.resolve();
  await ada.bubbles.filter({ hasText: "number 729;" }).waitFor();
  await ada.unread(writer).waitFor({ state: "hidden" });
  await expect.poll(() => toFoot(ada)).toBeLessThan(2);
  expect(ada.problems).toEqual([]);
});

test("a text at the foot unfolds where it begins", async () => {
  const [reader, writer] = ["ada-high", "grace-high"];
  await sendMany(writer, reader, 20, 0, ` ${"long ".repeat(2_000)}`);
  const ada = await world.join(reader);
  await ada.row(writer).getByRole("link").click();
  await ada.page.getByRole("button", { name: /jump to the newest/ }).click();
  await expect.poll(() => toFoot(ada)).toBeLessThan(2);

  const last = ada.bubbles.last();
  const place = async () => Math.round((await last.boundingBox())?.y ?? Number.NaN);
  const before = await place();
  await last.getByRole("button", { name: "Show all" }).click();
  await expect.poll(() => toFoot(ada)).toBeGreaterThan(500);
  expect(Math.abs((await place()) - before)).toBeLessThan(2);
  expect(ada.problems).toEqual([]);
});

test("1,500 messages that a window has missed come while one reads, and the divider stays where it is", async () => {
  const [reader, writer] = ["ada-missed", "grace-missed"];
  const ada = await readThirty(reader, writer);
  await sendMany(writer, reader, 500, 30);
  await ada.row(writer).getByText("number 529;").waitFor();
  await ada.page.goto("about:blank");
  await sendMany(writer, reader, 1_500, 530);

  // The client announces them in pages, and keeps 500 of a conversation that nobody reads.
  await ada.page.goto(world.server.url);
  await ada.row(writer).getByRole("link").click();
  await expect.poll(() => ada.bubbles.count(), { timeout: 20_000 }).toBeGreaterThan(2_000);

  await expect.poll(() => divider(ada)).toEqual({ below: "number 30;", place: expect.any(Number) });
  const { place } = await divider(ada);
  expect(place).toBeGreaterThan(0);
  expect(place).toBeLessThan(200);
  expect(ada.problems).toEqual([]);
});

test("what is far from view is neither laid out nor drawn, and comes when it is asked for", async () => {
  await sendMany("grace-long", "ada-long", 600);
  const ada = await world.join("ada-long");
  await ada.row("grace-long").getByRole("link").click();
  await ada.page.getByText("New messages").waitFor();
  await ada.page.getByRole("button", { name: /jump to the newest/ }).click();
  await ada.bubbles.filter({ hasText: "number 599;" }).waitFor();
  const isDrawn = (text: string) =>
    ada.bubbles
      .filter({ hasText: text })
      .evaluate((bubble) => bubble.checkVisibility({ contentVisibilityAuto: true }));

  await expect.poll(() => isDrawn("number 599;")).toBe(true);
  await expect.poll(() => isDrawn("number 20;")).toBe(false);
  await ada.bubbles.filter({ hasText: "number 20;" }).scrollIntoViewIfNeeded();
  await expect.poll(() => isDrawn("number 20;")).toBe(true);
  expect(ada.problems).toEqual([]);
});
