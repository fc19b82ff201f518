import { clientLimits } from "@chat21/protocol";
import { describe, expect, test } from "vitest";
import type { Chat, Storage } from "../src/index.ts";
import { memoryStorage } from "../src/index.ts";
import { ManualClock, settle } from "./support/manual-clock.ts";
import { openChat, openServer, Recorder } from "./support/world.ts";

/** What a storage holds at this moment: the disk of a process that is killed now. */
async function copyOf(storage: Storage): Promise<Storage> {
  const copy = memoryStorage();
  for (const collection of ["meta", "outbox"] as const)
    for (const { key, value } of await storage.list(collection, "")) await copy.put(collection, key, value);
  return copy;
}

/** The texts that a client hears from bob, up to `last`. */
async function heardUntil(chat: Chat, last: string): Promise<string[]> {
  const recorder = new Recorder(chat);
  await recorder.until(() => recorder.texts("bob").includes(last));
  return recorder.texts("bob");
}

describe("a bot that is killed", () => {
  test("while it works on a message hears that message again, and all after it", async () => {
    const server = await openServer();
    const storage = memoryStorage();
    const clock = new ManualClock();
    const chat = await openChat(server, "alice", { storage, clock });
    const begun: string[] = [];
    chat.on("message", ({ message: { text } }) => {
      begun.push(text);
      return text === "two" ? new Promise<never>(() => undefined) : Promise.resolve();
    });
    const recorder = new Recorder(chat);
    for (const text of ["one", "two", "three"]) await server.send("bob", "alice", { text });
    await recorder.until(() => begun.includes("three"));
    await clock.advance(2_000);

    const again = await openChat(server, "alice", { storage: await copyOf(storage) });

    expect(begun).toEqual(["one", "two", "three"]);
    expect(await heardUntil(again, "three")).toEqual(["two", "three"]);
  });

  test("while it works on the first message of somebody new hears it again", async () => {
    const server = await openServer();
    const storage = memoryStorage();
    const clock = new ManualClock();
    const chat = await openChat(server, "alice", { storage, clock });
    const recorder = new Recorder(chat);
    chat.on("message", () => new Promise<never>(() => undefined));
    await server.send("bob", "alice", { text: "hello" });
    await recorder.until(() => recorder.texts("bob").length === 1);
    await chat.flush();
    await clock.advance(2_000);

    const again = await openChat(server, "alice", { storage: await copyOf(storage) });

    expect(await heardUntil(again, "hello")).toEqual(["hello"]);
  });

  test("in its first second hears what came meanwhile", async () => {
    const server = await openServer();
    await server.send("bob", "alice", { text: "before the first sign-in" });
    const storage = memoryStorage();
    await openChat(server, "alice", { storage, clock: new ManualClock() });
    const disk = await copyOf(storage);
    await server.send("bob", "alice", { text: "meanwhile" });

    const again = await openChat(server, "alice", { storage: disk });

    expect(await heardUntil(again, "meanwhile")).toEqual(["meanwhile"]);
  });
});

describe("a message on which a handler fails", () => {
  test.each([
    ["throws", () => undefined],
    ["rejects", () => Promise.resolve()],
  ])("by an error that it %s is tried three times, reported, and skipped", async (_, first) => {
    const server = await openServer();
    const storage = memoryStorage();
    const clock = new ManualClock();
    const chat = await openChat(server, "alice", { storage, clock });
    const recorder = new Recorder(chat);
    let attempts = 0;
    const others: string[] = [];
    chat.on("message", ({ message: { text } }) => others.push(text));
    chat.on("message", ({ message }) => {
      const fail = () => {
        if (message.text !== "poison") return;
        attempts += 1;
        throw new Error("I cannot eat this");
      };
      return first()?.then(fail) ?? fail();
    });

    await server.send("bob", "alice", { text: "poison" });
    await server.send("bob", "alice", { text: "food" });
    await recorder.until(() => others.includes("food"));
    const seen: [number, number][] = [];
    for (let second = 0; second < 4; second++) {
      await settle();
      seen.push([attempts, recorder.all("error").length]);
      await clock.advance(1_000);
    }
    await clock.advance(1_000);

    expect(seen).toEqual([
      [1, 0],
      [2, 0],
      [2, 0],
      [3, 1],
    ]);
    expect(recorder.all("error")[0]?.error.cause).toMatchObject({ message: "I cannot eat this" });
    expect(others).toEqual(["poison", "food"]);
    await server.send("bob", "alice", { text: "dessert" });
    const again = await openChat(server, "alice", { storage: await copyOf(storage) });
    expect(await heardUntil(again, "dessert")).toEqual(["dessert"]);
  });

  test("as the answer of the documented bot is too large lets the bot go on", async () => {
    const server = await openServer();
    const clock = new ManualClock();
    const bot = await openChat(server, "alice", { clock });
    const recorder = new Recorder(bot);
    bot.on("message", async ({ message, conversWith }) => {
      if (message.own) return;
      const draft = { text: `You said: ${message.text}` };
      await bot.send(conversWith, draft, { clientMessageId: `echo-${message.messageId}` });
    });

    await server.send("bob", "alice", { text: "x".repeat(clientLimits.payloadBytes - 236) });
    await server.send("bob", "alice", { text: "short" });
    await recorder.until(() => recorder.texts("bob").includes("You said: short"));
    await clock.advance(5_000);

    expect(recorder.all("error")).toMatchObject([{ error: { code: "payload_too_large" } }]);
  });
});
