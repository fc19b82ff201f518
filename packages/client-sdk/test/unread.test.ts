import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { type Chat, type Clock, memoryStorage } from "../src/index.ts";
import { settle } from "./support/manual-clock.ts";
import type { TestServer } from "./support/test-server.ts";
import { actor } from "./support/test-server.ts";
import { connectTo, openChat, openServer, Recorder } from "./support/world.ts";

/** What the server's lists say, and what the SDK's say. */
async function compare(server: TestServer, chat: Chat) {
  const ofServer = (await server.states("alice")).map(({ conversWith, unread, archived, conversation }) => ({
    conversWith,
    unread,
    archived,
    last: conversation?.["seq"],
  }));
  const ofClient = [false, true].flatMap((archived) =>
    chat.conversations.list({ archived }).map((summary) => ({
      conversWith: summary.conversWith,
      unread: summary.unread,
      archived: summary.archived,
      last: summary.lastMessage?.seq,
    })),
  );
  const inOneList = (archived: boolean) => ofServer.filter((state) => state.archived === archived);
  return { expected: [...inOneList(false), ...inOneList(true)], got: ofClient };
}

describe("unread messages are counted as the server counts them", () => {
  test("in a new group with one message: 1, not what the server says of its beginning", async () => {
    const server = await openServer();
    const chat = await openChat(server);
    const recorder = new Recorder(chat);

    await server.createGroup("group-1", "bob", "alice", "carol");
    await server.send("bob", "group-1", { text: "hi" });
    await recorder.until(() => recorder.texts("group-1").includes("hi"));

    expect(chat.conversations.get("group-1")?.unread).toBe(1);
    expect((await openChat(server, "alice", { deviceId: "new" })).conversations.get("group-1")?.unread).toBe(
      1,
    );
  });

  test("from the system: 0", async () => {
    const server = await openServer();
    const chat = await openChat(server);
    const recorder = new Recorder(chat);

    const request = { recipient: "alice", body: '{"text":"welcome"}', sender: "system" };
    await server.engine.messages.send(actor("backend", true), request);
    await recorder.until(() => recorder.texts("system").length === 1);

    expect(chat.conversations.get("system")).toMatchObject({ unread: 0, lastMessage: { text: "welcome" } });
  });

  test("but not those that stay off the lists", async () => {
    const server = await openServer();
    const chat = await openChat(server);
    const recorder = new Recorder(chat);

    await server.send("bob", "alice", { text: "1" });
    await server.send("bob", "alice", { text: "2", attributes: { updateconversation: false } });
    await server.send("bob", "alice", { text: "3" });
    await recorder.until(() => recorder.texts("bob").length === 3);

    expect(chat.conversations.get("bob")?.unread).toBe(2);
  });

  test("while a client catches up: those that are still on their way, too, each once", async () => {
    const server = await openServer();
    const storage = memoryStorage();
    const before = await openChat(server, "alice", { storage });
    const first = new Recorder(before);
    await server.send("bob", "alice", { text: "0" });
    await first.until(() => first.texts("bob").length === 1);
    before.conversation("bob").markRead();
    await before.flush();
    await before.close();
    for (let i = 1; i <= 450; i++) await server.send("bob", "alice", { text: String(i) });

    const after = await openChat(server, "alice", { storage });
    const recorder = new Recorder(after);
    const counts = new Set<number | undefined>();
    after.conversations.subscribe(() => counts.add(after.conversations.get("bob")?.unread));
    await recorder.until(() => recorder.texts("bob").length === 450);

    expect([after.conversations.get("bob")?.unread, ...counts].filter((count) => count !== 450)).toEqual([]);
  });

  test("up to a thousand, whether they are held or not", async () => {
    const server = await openServer();
    for (let i = 0; i < 1_100; i++) await server.send("bob", "alice", { text: "x" });
    const chat = await openChat(server, "alice", { heldMessages: 2_000 });
    const recorder = new Recorder(chat);
    expect(chat.conversations.get("bob")?.unread).toBe(1_000);

    while (chat.conversation("bob").hasOlder) await chat.conversation("bob").loadOlder(1_000);
    await server.send("bob", "alice", { text: "one more" });
    await recorder.until(() => recorder.texts("bob").length === 1);

    expect(chat.conversation("bob").messages).toHaveLength(1_101);
    expect(chat.conversations.get("bob")?.unread).toBe(1_000);
  });
});

const kind = fc.constantFrom("plain", "plain", "plain", "unlisted", "hidden", "own", "system");
const place = fc.constantFrom("bob", "carol", "group-1");
const step = fc.oneof(
  { weight: 10, arbitrary: fc.tuple(fc.constant("send" as const), place, kind) },
  { weight: 2, arbitrary: fc.tuple(fc.constant("read" as const), place, fc.nat(12)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("archive" as const), place) },
  { weight: 2, arbitrary: fc.tuple(fc.constant("erase" as const), place, fc.nat(12)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("drop" as const)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("lose" as const)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("clear" as const), place) },
);
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

async function apply(server: TestServer, chat: Chat, [name, ...rest]: Step): Promise<void> {
  const [where = "", what] = rest as [string?, (string | number)?];
  const other = where === "group-1" ? "bob" : where;
  if (name === "drop") {
    server.edge.fateOf = () => "deliver";
    server.edge.drop();
  } else if (name === "lose") {
    // Later connections are those of `erase`, which waits for its answer.
    const devices = new Set(server.edge.clients);
    server.edge.fateOf = (_, client) => (devices.has(client) ? "lose" : "deliver");
  } else if (name === "read") chat.conversations.markRead(where, Number(what));
  else if (name === "archive") await chat.conversations.archive(where).catch(() => undefined);
  else if (name === "clear") await server.engine.conversations.clear(actor("backend", true), where);
  else if (name === "erase") {
    const target = (await server.events("alice", where)).find(({ seq }) => seq === Number(what));
    const isThere = target?.type === "message" && target.overlay === null && target.sender !== "system";
    if (isThere)
      await server.erase(target.sender === "alice" ? where : eraserOf(where), [target.seq], target.sender);
  } else if (what === "own") await server.send("alice", where, { text: "mine" });
  else if (what === "system") {
    const recipient = where === "group-1" ? where : "alice";
    const request = { recipient, body: '{"text":"info"}', sender: "system" };
    await server.engine.messages.send(actor("backend", true), request).catch(() => undefined);
  } else {
    const attributes = { unlisted: { updateconversation: false }, hidden: { hiddenFor: "alice" } }[
      String(what)
    ];
    await server.send(other, where === "group-1" ? where : "alice", {
      text: "x",
      ...(attributes && { attributes }),
    });
  }
  await settle();
}

/** A twentieth of each delay: marks rest for a second between two. */
const hurried: Clock = {
  now: () => Date.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs / 20);
    return () => clearTimeout(timer);
  },
};

/** What the sender calls a conversation that alice calls so. */
const eraserOf = (where: string) => (where === "group-1" ? where : "alice");

test("lists, last messages and unread counts are the server's, whatever was written, read, archived, deleted or missed", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 40, size: "max" }),
      fc.constantFrom(2, 500),
      async (steps, heldMessages) => {
        const server = await openServer();
        await server.createGroup("group-1", "bob", "alice");
        const options = { heldMessages, reportDelivery: false, clock: hurried };
        const chat = await connectTo(server, "alice", options);
        onTestFinished(() => chat.close());

        for (const one of steps) await apply(server, chat, one);
        server.edge.fateOf = () => "deliver";
        await chat.flush();
        server.edge.drop();
        for (let tries = 0; tries < 2_000; tries++) {
          const { expected, got } = await compare(server, chat);
          if (JSON.stringify(expected) === JSON.stringify(got)) break;
          await new Promise((resolve) => setTimeout(resolve, 5));
        }

        const { expected, got } = await compare(server, chat);
        expect(got).toEqual(expected);
        await chat.close();
        await server.close();
      },
    ),
    { numRuns: 60 },
  );
}, 120_000);
