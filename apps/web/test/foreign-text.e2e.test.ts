import { connect } from "@chat21/client-sdk";
import { describe, expect, test } from "vitest";
import { textsOf } from "./person.ts";
import { useWorld } from "./use-world.ts";

const world = useWorld();

describe("what others write", () => {
  test("takes nobody's page down, however hard it is to show", async () => {
    const grace = await world.join("Grace Calm");
    await grace.startConversation("ada-rude");
    const ada = await connect({ url: world.server.url, token: await world.developmentToken("ada-rude") });
    const hostile = [
      `http://a/${")".repeat(60_000)}`,
      "http://a/. ".repeat(5_000),
      "a\u0301\u0302\u0303\u0304".repeat(6_000),
      `x${"\n".repeat(10_000)}x`,
      "\u200b",
    ];

    for (const text of [...hostile, "and now?"]) await ada.send("grace-calm", { text });

    await grace.bubbles.filter({ hasText: "and now?" }).waitFor();
    const heights = await grace.bubbles.evaluateAll((all) => all.map((bubble) => bubble.clientHeight));
    expect(Math.max(...heights)).toBeLessThan(2_000);
    expect(await grace.bubbles.getByText("(empty message)").count()).toBe(1);
    await grace.write("I am here");
    await grace.page.getByTitle(/^(Sent|Delivered)$/).waitFor();
    await ada.close();
    await grace.bubbles.getByRole("button", { name: "Show all" }).first().click();
    await expect.poll(async () => (await textsOf(grace))[0]?.length).toBe(hostile[0]?.length);
    expect(grace.problems).toEqual([]);
  });

  test("costs its own bubble when it cannot be shown", async () => {
    const ada = await world.join("Ada Broken");
    const grace = await world.join("Grace Broken");
    await grace.startConversation("ada-broken");
    await grace.page.evaluate(() => {
      const { matchAll } = String.prototype;
      String.prototype.matchAll = function (pattern) {
        if (this.includes("a fault of the page")) throw new Error("a fault of the page");
        return matchAll.call(this, pattern);
      };
    });

    await ada.startConversation("grace-broken");
    for (const text of ["before", "a fault of the page", "after"]) await ada.write(text);

    await grace.bubbles.getByText("after").waitFor();
    expect(await textsOf(grace)).toEqual(["before", "This message cannot be shown.", "after"]);
  });

  test("lies on the side that its script begins on, and turns nothing around it", async () => {
    const ada = await world.join("Ada \u202eRight");
    const grace = await world.join("Grace Left");
    await ada.startConversation("grace-left");
    await ada.write("שלום (1)");

    await grace.row("Ada Right").getByRole("link").click();
    const bubble = grace.bubbles.first();
    await bubble.waitFor();
    expect(await bubble.evaluate((element) => getComputedStyle(element).direction)).toBe("rtl");
    expect(await grace.page.locator(".bar-title h2").textContent()).toBe("Ada Right");
  });
});

describe("the keyboard", () => {
  test("leaves Enter to an input method that still composes a word", async () => {
    const ada = await world.join("Ada Composing");
    await ada.startConversation("nobody-yet");
    await ada.composer.fill("にほん");

    // Safari: the composition has ended, and the key that ended it comes with the code of composing.
    await ada.composer.dispatchEvent("keydown", { key: "Enter", keyCode: 229, bubbles: true });
    expect(await ada.composer.inputValue()).toBe("にほん");
    expect(await ada.bubbles.count()).toBe(0);
    await ada.composer.press("Enter");
    await expect.poll(() => textsOf(ada)).toEqual(["にほん"]);
  });

  test("finds the first field of a dialog, or its title, never the cross", async () => {
    const ada = await world.join("Ada Dialog");
    const focused = () => ada.page.evaluate(() => document.activeElement?.localName);

    await ada.page.getByRole("button", { name: "Start something new" }).click();
    await ada.page.getByRole("menuitem", { name: "New group" }).click();
    expect(await focused()).toBe("input");
    await ada.page.keyboard.press("Escape");
    await ada.page.getByRole("button", { name: "Account" }).click();
    await ada.page.getByRole("menuitem", { name: "Sign out" }).click();
    expect(await focused()).toBe("h2");
  });
});
