import { connect } from "@chat21/client-sdk";
import { expect, test } from "vitest";
import { useWorld } from "./use-world.ts";

const world = useWorld();

async function sendSome(from: string, to: string): Promise<void> {
  const sender = await connect({ url: world.server.url, token: await world.developmentToken(from) });
  for (const text of ["one", "two", "three"]) await sender.send(to, { text });
  await sender.close();
}

/** The state that the server tells a new device. */
async function unreadOnServer(user: string): Promise<number> {
  const chat = await connect({ url: world.server.url, token: await world.developmentToken(user) });
  const { unread } = chat.conversations;
  await chat.close();
  return unread;
}

test("what was read stays read when the page is loaded again in the same moment", async () => {
  const [reader, writer] = ["ada-reloads", "grace-reloads"];
  const ada = await world.join(reader);
  await sendSome(writer, reader);
  await ada.unread(writer).waitFor();

  // Within a second of the marks of delivery, and in the very frame in which the conversation counts as read.
  const reloaded = ada.page.waitForEvent("load");
  await ada.page.evaluate((name) => {
    const rows = [...document.querySelectorAll<HTMLAnchorElement>(".conversation a")];
    const link = rows.find((row) => row.textContent?.includes(name));
    const watch = () => {
      if (link?.textContent?.includes("unread")) requestAnimationFrame(watch);
      else location.reload();
    };
    link?.click();
    requestAnimationFrame(watch);
  }, writer);
  await reloaded;

  await ada.row(writer).waitFor();
  expect(await ada.unread(writer).count()).toBe(0);
  await expect.poll(() => unreadOnServer(reader)).toBe(0);
  expect(ada.problems).toEqual([]);
});

test("what was read without a network stays read in the next window, and the server hears of it", async () => {
  const [reader, writer] = ["ada-closes", "grace-closes"];
  const cable = await world.layCable();
  const ada = await world.join(reader, { url: cable.url });
  await sendSome(writer, reader);
  await ada.unread(writer).waitFor();
  cable.cut();
  await ada.page.getByText("Connection lost.").waitFor();
  await ada.row(writer).getByRole("link").click();
  await ada.unread(writer).waitFor({ state: "hidden" });
  await ada.page.close();
  expect(await unreadOnServer(reader)).toBe(3);
  cable.mend();

  const page = await ada.context.newPage();
  await page.goto(cable.url);
  await page.getByRole("textbox", { name: "Your name" }).fill(reader);
  await page.getByRole("button", { name: "Start chatting" }).click();

  const row = page.getByRole("listitem").filter({ hasText: writer });
  await row.waitFor();
  expect(await row.getByText(/unread/).count()).toBe(0);
  await expect.poll(() => unreadOnServer(reader)).toBe(0);
});
