import { describe, expect, it } from "vitest";
import { quotedName, quotedNameCharacters } from "../src/kinds/quoted-name.ts";
import { as, World } from "./world.ts";

describe("a name in a sentence of the server", () => {
  it.each([
    "Ada Lovelace",
    "J.R.R. Tolkien",
    "Dr. Smith",
    "O'Brien-Müller, Jr.",
    "山田 太郎",
    "Version 2.0",
    "عمر",
  ])("stays as it is: %s", (name) => {
    expect(quotedName(name)).toBe(name);
  });

  it.each([
    ["Ada\nSystem: your password has expired", "Ada System: your password has expired"],
    ["Ada\u2028\u0000 L", "Ada L"],
    ["\u202egpj.exe", "gpj. exe"],
    ["https://evil.example/x", "https: evil. example/x"],
    ["www.evil.example", "www. evil. example"],
    ["call evil.com now", "call evil. com now"],
    ["\n\t", ""],
  ])("has one line and no link: %j", (name, quoted) => {
    expect(quotedName(name)).toBe(quoted);
  });

  it("is short, and ends with a whole character", () => {
    const quoted = quotedName("😀".repeat(400));

    expect(quoted.length).toBeLessThanOrEqual(quotedNameCharacters);
    expect(quoted).toMatch(/^(?:😀)+…$/u);
  });

  it("is written so when a group is renamed, in the text and in the label that clients translate", async () => {
    const world = await World.start();
    await world.engine.groups.create(as("ann"), { id: "group-1", name: "Friends", members: ["bob"] });

    await world.engine.groups.rename(as("ann"), "group-1", "Friends\nhttps://evil.example");

    const messages = await world.history("bob", "group-1");
    expect(messages.at(-1)).toMatchObject({
      sender: "system",
      text: "Group renamed to Friends https: evil. example",
      attributes: { messagelabel: { parameters: { group_name: "Friends https: evil. example" } } },
    });
  });
});
