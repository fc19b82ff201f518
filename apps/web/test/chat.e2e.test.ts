import { connect } from "@chat21/client-sdk";
import { describe, expect, test } from "vitest";
import { type Person, textsOf } from "./person.ts";
import { useWorld } from "./use-world.ts";

const world = useWorld();

/** The browser's own reports of failed requests. */
const browserReport = /net::ERR_|^error: WebSocket connection to /;

async function joinBoth(one: string, other: string): Promise<[Person, Person]> {
  return [await world.join(one), await world.join(other)];
}

describe("two windows", () => {
  test("chat with each other, with counts, marks and the typing line", async () => {
    const [ada, grace] = await joinBoth("Ada One", "Grace One");

    await ada.startConversation("grace-one");
    await ada.write("Hello Grace");
    await grace.row("Ada One").getByText("1 unread").waitFor();
    await expect.poll(() => grace.page.title()).toBe("(1) Chat21");
    await ada.page.getByTitle("Delivered").waitFor();
    expect(await ada.page.getByTitle("Read").count()).toBe(0);

    await grace.row("Ada One").getByRole("link").click();
    await grace.page.locator(".bubble", { hasText: "Hello Grace" }).waitFor();
    await ada.page.getByTitle("Read").waitFor();
    await expect.poll(() => grace.page.title()).toBe("Ada One · Chat21");

    await grace.composer.pressSequentially("one");
    await ada.page.locator(".bar-title", { hasText: "typing…" }).waitFor();
    await grace.composer.press("Shift+Enter");
    await grace.composer.pressSequentially("two");
    await grace.composer.press("Enter");
    await expect.poll(() => textsOf(ada)).toEqual(["Hello Grace", "one\ntwo"]);
    await ada.page.locator(".bar-title", { hasText: "online" }).waitFor();
    expect([...ada.problems, ...grace.problems]).toEqual([]);
  });

  test("show text as text and link what is safe to follow", async () => {
    const [ada, grace] = await joinBoth("Ada Two", "Grace Two");
    const hostile = `<img src=x onerror="document.title='owned'"> javascript:alert(1) https://example.org/a_(b).`;

    await ada.startConversation("grace-two");
    await ada.write(hostile);
    await grace.row("Ada Two").getByRole("link").click();
    await expect.poll(() => textsOf(grace)).toEqual([hostile]);

    const links = grace.bubbles.getByRole("link");
    expect(await links.evaluateAll((all) => all.map((link) => (link as HTMLAnchorElement).href))).toEqual([
      "https://example.org/a_(b)",
    ]);
    expect(await links.first().getAttribute("rel")).toContain("noopener");
    expect(await grace.bubbles.locator("img").count()).toBe(0);
    expect([...ada.problems, ...grace.problems]).toEqual([]);
  });

  test("catch up after one of them has lost its connection", async () => {
    const cable = await world.layCable();
    const ada = await world.join("Ada Three");
    const grace = await world.join("Grace Three", { url: cable.url });
    await ada.startConversation("grace-three");
    await ada.write("before");
    await grace.row("Ada Three").getByRole("link").click();
    await expect.poll(() => textsOf(grace)).toEqual(["before"]);

    cable.cut();
    await grace.page.getByText("Connection lost.").waitFor();
    for (const text of ["one", "two", "three"]) await ada.write(text);
    await grace.write("meanwhile");
    await grace.page.getByTitle(/Waiting to be sent|Sending/).waitFor();
    await ada.page.locator(".message", { hasText: "three" }).getByTitle("Sent").waitFor();
    expect(await textsOf(grace)).toEqual(["before", "meanwhile"]);
    cable.mend();

    await grace.page.getByText("Back online").waitFor();
    await expect.poll(() => textsOf(grace)).toEqual(["before", "one", "two", "three", "meanwhile"]);
    await expect.poll(() => textsOf(ada)).toEqual(["before", "one", "two", "three", "meanwhile"]);
    await grace.page.getByText("Back online").waitFor({ state: "hidden" });
    await ada.page.locator(".message", { hasText: "three" }).getByTitle("Read").waitFor();
    expect(ada.problems).toEqual([]);
    // The page must report nothing more.
    expect(grace.problems.filter((problem) => !browserReport.test(problem))).toEqual([]);
  });

  test("find out that the connection died in sleep, and get what came meanwhile", async () => {
    const cable = await world.layCable();
    const ada = await world.join("Ada Asleep");
    const grace = await world.join("Grace Asleep", { url: cable.url });
    await ada.startConversation("grace-asleep");
    await ada.write("before");
    await grace.row("Ada Asleep").getByRole("link").click();
    const header = grace.page.locator("p.ellipsis").getByText(/^online/);
    await header.waitFor();

    cable.deaden();
    await ada.write("in the night");
    await ada.page.locator(".message", { hasText: "in the night" }).getByTitle("Sent").waitFor();
    await grace.page.evaluate(() => window.dispatchEvent(new Event("pageshow")));

    // Without the hint it takes the keep-alive of 20 s, and half of it more.
    await expect.poll(() => textsOf(grace), { timeout: 20_000 }).toEqual(["before", "in the night"]);
    await header.waitFor();
  });

  test("say at once when the machine has no network", async () => {
    const ada = await world.join("Ada Offline");

    await ada.context.setOffline(true);
    await ada.page.getByText("You are offline.").waitFor();
    await ada.context.setOffline(false);

    await ada.page.getByText("Back online").waitFor();
    expect(ada.problems).toEqual([]);
  });
});

describe("a window", () => {
  test("stays who it was over a reload, keeps drafts, and forgets on signing out", async () => {
    const ada = await world.join("Ada Four");
    await ada.startConversation("nobody-yet");
    await ada.write("first");
    await ada.composer.fill("half a sen");

    await ada.page.reload();
    await expect.poll(() => textsOf(ada)).toEqual(["first"]);
    expect(await ada.composer.inputValue()).toBe("half a sen");
    await ada.page.keyboard.press("Escape");
    await ada.row("nobody-yet").getByText("half a sen").waitFor();

    await ada.page.getByRole("button", { name: "Account" }).click();
    await ada.page.getByRole("menuitem", { name: "Sign out" }).click();
    await ada.page.getByRole("dialog").getByRole("button", { name: "Sign out" }).click();
    await ada.page.getByRole("textbox", { name: "Your name" }).waitFor();
    const kept = () =>
      ada.page.evaluate(() => [...Object.keys(sessionStorage), ...Object.keys(localStorage)]);
    // Nothing of the person: the window's name, and the browser's key. The client that closes writes once more.
    await expect.poll(kept).toEqual(["chat21.window", "chat21.sign-in-key"]);
    expect(ada.problems).toEqual([]);
  });

  test("shows what it showed, also when it is loaded again after it has noted how far it is", async () => {
    const [ada, grace] = await joinBoth("Ada Again", "Grace Again");
    await ada.startConversation("grace-again");
    await ada.write("one");
    await ada.write("two");
    await grace.row("Ada Again").getByRole("link").click();
    await expect.poll(() => textsOf(grace)).toEqual(["one", "two"]);
    const notes = () => grace.page.evaluate(() => JSON.stringify({ ...sessionStorage }));
    await expect.poll(notes).toMatch(/positions.*"ada-again\\*":{\\*"seq\\*":2/);

    await grace.page.reload();
    await expect.poll(() => textsOf(grace)).toEqual(["one", "two"]);
    expect(grace.problems).toEqual([]);
  });

  test("keeps everything when a part of the page does not come", async () => {
    const ada = await world.join("Ada Halved");
    await ada.startConversation("nobody-yet");
    await ada.composer.fill("half a sen");

    await ada.page.route("**/open-chat-*.js", (route) => route.abort());
    await ada.page.reload();
    await ada.page.getByText("could not be loaded in full").waitFor();
    await ada.page.unroute("**/open-chat-*.js");
    await ada.page.reload();

    await expect.poll(() => ada.composer.inputValue()).toBe("half a sen");
  });

  test("sends what was written without a connection, even when the page was left in between", async () => {
    const cable = await world.layCable();
    const ada = await world.join("Ada Unsent", { url: cable.url });
    const grace = await world.join("Grace Unsent");
    await ada.startConversation("grace-unsent");

    cable.cut();
    await ada.page.getByText("Connection lost.").waitFor();
    await ada.write("written in a tunnel");
    await ada.page.goto("about:blank");
    cable.mend();
    await ada.page.goto(cable.url);

    await grace.row("Ada Unsent").getByText("written in a tunnel").waitFor();
    await grace.row("Ada Unsent").getByText("1 unread").waitFor();
    await ada.row("Grace Unsent").getByRole("link").click();
    await ada.page.getByTitle("Delivered").waitFor();
    expect(await textsOf(ada)).toEqual(["written in a tunnel"]);
    expect(grace.problems).toEqual([]);
  });

  test("that is duplicated becomes another device of the same person", async () => {
    const ada = await world.join("Ada Twice");
    const [twin] = await Promise.all([
      ada.context.waitForEvent("page"),
      // A window that another window opens starts with a copy of its session storage.
      ada.page.evaluate(() => void window.open(location.href)),
    ]);
    await twin.getByText("No conversations yet.").waitFor();

    await ada.startConversation("grace-twice");
    await ada.write("seen by both of me");
    await twin.getByText("You: seen by both of me").waitFor();
    // Two clients with one device id would disconnect each other for ever.
    const devices = (page: typeof twin) =>
      page.evaluate(() => {
        const prefix = `chat21.${sessionStorage.getItem("chat21.window")}.meta.`;
        const isDevice = (name: string) => name.startsWith(prefix) && name.endsWith("/device");
        return Object.keys(sessionStorage)
          .filter(isDevice)
          .map((name) => sessionStorage.getItem(name));
      });
    const [own, twins] = [await devices(ada.page), await devices(twin)];
    expect([own.length, twins.length]).toEqual([1, 1]);
    expect(twins).not.toEqual(own);
    expect(ada.problems).toEqual([]);
  });

  test("loads older messages above and keeps what is being read in its place", async () => {
    const grace = await connect({
      url: world.server.url,
      token: await world.developmentToken("grace-five"),
      sendWindow: 50,
    });
    await Promise.all(
      Array.from({ length: 420 }, (_, index) => grace.send("ada-five", { text: `number ${index};` })),
    );
    await grace.close();

    const ada = await world.join("Ada Five");
    await ada.row("grace-five").getByRole("link").click();
    await ada.page.getByRole("button", { name: /jump to the newest/i }).click();
    await ada.unread("grace-five").waitFor({ state: "hidden" });
    // A window that is loaded again holds the newest messages only.
    await ada.page.reload();
    await ada.bubbles.filter({ hasText: "number 419;" }).waitFor();
    const scroller = ada.page.getByRole("region", { name: "Messages" });
    const topOf = (key: string | undefined) =>
      ada.page.locator(`[data-key="${key}"]`).evaluate((row) => row.getBoundingClientRect().top);
    await expect.poll(() => scroller.evaluate((element) => element.scrollTop)).toBeGreaterThan(500);
    const held = await ada.bubbles.count();
    const [key, top] = await scroller.evaluate(async (element) => {
      element.scrollTo(0, 120);
      // The scroll event comes before this frame, and the older messages one request later.
      await new Promise(requestAnimationFrame);
      const row = element.querySelector<HTMLElement>("[data-key]");
      return [row?.dataset["key"], row?.getBoundingClientRect().top] as const;
    });
    await expect.poll(() => ada.bubbles.count()).toBeGreaterThan(held);
    // A browser scrolls by whole pixels only.
    expect(Math.abs((await topOf(key)) - (top ?? Number.NaN))).toBeLessThan(1);

    const seen = new Set<string>();
    await expect
      .poll(
        async () => {
          for (const text of await textsOf(ada)) seen.add(text);
          await scroller.evaluate((element) => element.scrollTo(0, 0));
          return seen.size;
        },
        { timeout: 30_000 },
      )
      .toBe(420);
    const middle = ada.bubbles.filter({ hasText: "number 20;" });
    await middle.scrollIntoViewIfNeeded();
    const before = await middle.boundingBox();

    const again = await connect({ url: world.server.url, token: await world.developmentToken("grace-five") });
    await again.send("ada-five", { text: "the newest" });
    await again.close();
    await ada.bubbles.filter({ hasText: "the newest" }).waitFor({ state: "attached" });
    expect(await middle.boundingBox()).toEqual(before);

    await ada.page.getByRole("button", { name: /jump to the newest/i }).click();
    await ada.bubbles.filter({ hasText: "the newest" }).waitFor();
    await ada.unread("grace-five").waitFor({ state: "hidden" });
    expect(await textsOf(ada)).toEqual([
      ...Array.from({ length: 420 }, (_, index) => `number ${index};`),
      "the newest",
    ]);
    expect(ada.problems).toEqual([]);
  });

  test("can be used with the keyboard alone", async () => {
    const ada = await world.join("Ada Six");
    for (const user of ["first-friend", "second-friend", "third-friend"]) {
      await ada.startConversation(user);
      await ada.write(`to ${user}`);
      await ada.row(user).getByText(`You: to ${user}`).waitFor();
    }
    const focused = () => ada.page.evaluate(() => document.activeElement?.textContent ?? "");

    await ada.page.keyboard.press("Escape");
    await ada.page.getByRole("searchbox").waitFor();
    await expect.poll(() => ada.page.evaluate(() => document.activeElement?.id)).toBe("conversation-search");
    await ada.page.keyboard.press("ArrowDown");
    expect(await focused()).toContain("third-friend");
    await ada.page.keyboard.press("End");
    expect(await focused()).toContain("first-friend");
    await ada.page.keyboard.press("ArrowUp");
    await ada.page.keyboard.press("Enter");
    await expect.poll(() => textsOf(ada)).toEqual(["to second-friend"]);

    await ada.page.keyboard.press("Escape");
    await ada.page.keyboard.type("third");
    await expect.poll(() => ada.page.locator(".conversation").count()).toBe(1);
    await ada.page.keyboard.press("Enter");
    await ada.page.keyboard.press("Tab");
    expect(await ada.page.evaluate(() => document.activeElement?.getAttribute("aria-label"))).toBe(
      "Archive third-friend",
    );
    await ada.page.keyboard.press("Enter");
    // A search finds it in the archive, too.
    await ada.row("third-friend").getByText("Archived").waitFor();
    expect(await ada.page.evaluate(() => document.activeElement?.id)).toBe("conversation-search");
    await ada.page.getByRole("button", { name: "Archived" }).click();
    await ada.row("third-friend").waitFor();
    expect(ada.problems).toEqual([]);
  });
});
