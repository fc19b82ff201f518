import { connect } from "@chat21/client-sdk";
import { chromiumLaunchOptions } from "@chat21/testkit";
import { chromium } from "playwright-core";
import { describe, expect, onTestFinished, test } from "vitest";
import { openWindow, type Person, textsOf } from "./person.ts";
import { useWorld } from "./use-world.ts";

const world = useWorld();

async function signInByName(person: Person, name: string): Promise<void> {
  await person.page.getByRole("textbox", { name: "Your name" }).fill(name);
  await person.page.getByRole("button", { name: "Start chatting" }).click();
  await person.page.getByRole("heading", { level: 1, name }).waitFor();
}

async function signInByToken(person: Person, token: string): Promise<void> {
  await person.page.getByRole("button", { name: "Use a token instead" }).click();
  await person.page.getByRole("textbox", { name: "Token" }).fill(token);
  await person.page.getByRole("button", { name: "Sign in", exact: true }).click();
}

/** Each makes both storage areas of the page unusable. */
const storages: readonly [string, () => void][] = [
  [
    "throws",
    () => {
      for (const name of ["sessionStorage", "localStorage"])
        Object.defineProperty(window, name, {
          get() {
            throw new DOMException("Access is denied for this document.", "SecurityError");
          },
        });
    },
  ],
  [
    "is null",
    () => {
      for (const name of ["sessionStorage", "localStorage"])
        Object.defineProperty(window, name, { value: null });
    },
  ],
  [
    "is full",
    () => {
      for (const area of [sessionStorage, localStorage])
        for (let size = 2 ** 22; size >= 1; size /= 2)
          for (let n = 0; ; n++)
            try {
              area.setItem(`filler-${size}-${n}`, "x".repeat(size));
            } catch {
              break;
            }
    },
  ],
];

describe("a browser whose storage", () => {
  test.each(storages)("%s: people sign in, write and read", async (state, spoil) => {
    const id = `kept-${state.replaceAll(" ", "-")}`;
    const ada = await world.visit();
    await ada.page.addInitScript(spoil);
    await ada.page.reload();
    await ada.page.goto(world.server.signInUrl ?? "");

    await signInByName(ada, id);
    await ada.startConversation("nobody-yet");
    await ada.write("still sent");

    await ada.page.getByTitle("Sent").waitFor();
    expect(await textsOf(ada)).toEqual(["still sent"]);
    expect(await ada.composer.inputValue()).toBe("");
    expect(ada.problems).toEqual([]);
  });
});

test("a message that the client does not take goes back into the field", async () => {
  const ada = await world.join("Ada Escaped");
  await ada.startConversation("nobody-yet");
  // Each quotation mark has two bytes on the way.
  const text = `"`.repeat(60_000);

  await ada.write(text);

  await ada.page.getByText("The message is too long.").waitFor();
  expect(await ada.composer.inputValue()).toBe(text);
});

test("a session that ends keeps what was written, for the next sign-in of the same person only", async () => {
  const cable = await world.layCable();
  const ada = await world.join("Ada Ended", { url: cable.url });
  await ada.startConversation("grace-ended");
  cable.cut();
  await ada.page.getByText("Connection lost.").waitFor();
  await ada.write("not sent yet");
  await ada.composer.fill("half a sen");
  await ada.page.evaluate(() => {
    const session = JSON.parse(sessionStorage.getItem("chat21.session") ?? "");
    const token = `${session.token.slice(0, -8)}AAAAAAAA`;
    sessionStorage.setItem("chat21.session", JSON.stringify({ ...session, token, renewable: false }));
  });
  cable.mend();
  await ada.page.reload();
  await ada.page.getByText("what you wrote is kept").waitFor();

  await signInByName(ada, "Mallory Ended");
  await ada.composer.waitFor();
  expect(await ada.composer.inputValue()).toBe("");
  await ada.page.getByRole("button", { name: "Account" }).click();
  await ada.page.getByRole("menuitem", { name: "Sign out" }).click();
  await ada.page.getByRole("dialog").getByRole("button", { name: "Sign out" }).click();
  await signInByToken(ada, await world.developmentToken("ada-ended"));

  await ada.page.getByTitle("Sent").waitFor();
  expect(await textsOf(ada)).toEqual(["not sent yet"]);
  expect(await ada.composer.inputValue()).toBe("half a sen");
});

test("a window that is closed without a network leaves its messages to the next one", async () => {
  const cable = await world.layCable();
  const ada = await world.join("Ada Closed", { url: cable.url });
  await ada.startConversation("grace-closed");
  cable.cut();
  await ada.page.getByText("Connection lost.").waitFor();
  await ada.write("written in a tunnel");
  await ada.page.getByTitle("Waiting to be sent").waitFor();
  await ada.page.close();
  cable.mend();

  const page = await ada.context.newPage();
  await page.goto(cable.url);
  await page.getByRole("textbox", { name: "Your name" }).fill("Ada Closed");
  await page.getByRole("button", { name: "Start chatting" }).click();

  await page.getByText("You: written in a tunnel").waitFor();
  // The key is this browser's, not the person's.
  await expect.poll(() => page.evaluate(() => Object.keys(localStorage))).toEqual(["chat21.sign-in-key"]);
});

test("on plain http a window stays the same over a reload, and its copy becomes another one", async () => {
  const browser = await chromium.launch({
    ...chromiumLaunchOptions(),
    args: [...chromiumLaunchOptions().args, "--host-resolver-rules=MAP chat.test 127.0.0.1"],
  });
  onTestFinished(() => browser.close());
  const ada = await openWindow(browser, `http://chat.test:${new URL(world.server.url).port}/`);
  expect(await ada.page.evaluate(() => "locks" in navigator)).toBe(false);
  await signInByToken(ada, await world.developmentToken("ada-plain"));
  await ada.startConversation("grace-plain");
  const nameOf = (page: typeof ada.page) => page.evaluate(() => sessionStorage.getItem("chat21.window"));
  const name = await nameOf(ada.page);

  await ada.context.setOffline(true);
  await ada.page.getByText("You are offline.").waitFor();
  await ada.write("written before the reload");
  await ada.page.getByTitle(/Waiting to be sent|Sending/).waitFor();
  await ada.context.setOffline(false);
  await ada.page.reload();
  await ada.page.getByTitle("Sent").waitFor();
  expect(await nameOf(ada.page)).toBe(name);

  const [twin] = await Promise.all([
    ada.context.waitForEvent("page"),
    ada.page.evaluate(() => void window.open(location.href)),
  ]);
  await twin.getByText("written before the reload").first().waitFor();
  expect(await nameOf(twin)).not.toBe(name);
});

test("earlier messages that could not be loaded are loaded when the connection is back", async () => {
  const cable = await world.layCable();
  const ada = await connect({ url: world.server.url, token: await world.developmentToken("ada-unloaded") });
  for (let n = 0; n < 60; n++) await ada.send("grace-unloaded", { text: `number ${n};` });
  await ada.close();
  const grace = await world.join("Grace Unloaded", { url: cable.url });
  await grace.page.route("**/events?*", (route) => route.abort());
  await grace.row("ada-unloaded").getByRole("link").click();
  await grace.page.getByText("Earlier messages could not be loaded").waitFor();

  await grace.page.unroute("**/events?*");
  cable.cut();
  await grace.page.getByText("Connection lost.").waitFor();
  cable.mend();

  const scroller = grace.page.getByRole("region", { name: "Messages" });
  await expect
    .poll(
      async () => {
        await scroller.evaluate((element) => element.scrollTo(0, 0));
        return textsOf(grace);
      },
      { timeout: 20_000 },
    )
    .toContain("number 0;");
});
