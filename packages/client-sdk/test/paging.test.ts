import { describe, expect, test } from "vitest";
import type { Storage } from "../src/index.ts";
import { memoryStorage } from "../src/index.ts";
import type { TestServer } from "./support/test-server.ts";
import { app } from "./support/test-server.ts";
import { openChat, openServer, Recorder } from "./support/world.ts";

const people = Array.from({ length: 25 }, (_, index) => `user-${String(index).padStart(2, "0")}`);
const newestFirst = people.toReversed();

/** A server that answers four conversations at once, and 25 people who have each written two messages to alice. */
async function crowd(): Promise<TestServer> {
  const server = await openServer({ pageConversations: 4 });
  let timestamp = Date.now() - 1_000;
  for (const text of ["first", "second"]) {
    for (const who of people) await server.send(who, "alice", { text, timestamp: timestamp++ });
  }
  return server;
}

// Watermarks change conversations, too.
const quiet = { reportDelivery: false };

const isSync = ({ path }: { readonly path: string }) => path.endsWith("/sync");

/** The positions that a client has stored. */
const positionsIn = async (storage: Storage) =>
  (await storage.get("meta", `${app}/alice/positions`)) as Record<string, unknown>;

describe("a client with more conversations than one answer holds", () => {
  test("is online behind the first page, and lists the others without being asked", async () => {
    const server = await crowd();
    let isOnline = false;
    const asked: boolean[] = [];
    server.respond = (request) => {
      if (isSync(request)) asked.push(isOnline);
      return undefined;
    };

    const chat = await openChat(server, "alice", quiet);
    isOnline = true;
    const recorder = new Recorder(chat);
    expect(chat.conversations.list().map(({ conversWith }) => conversWith)).toEqual(newestFirst.slice(0, 4));
    await recorder.until(() => chat.conversations.list().length === people.length);

    expect(chat.conversations.list().map(({ conversWith }) => conversWith)).toEqual(newestFirst);
    expect(chat.conversations.unread).toBe(50);
    expect(chat.conversations.get("user-00")).toMatchObject({ lastMessage: { text: "second" }, head: 2 });
    expect(asked[0]).toBe(false);
    expect(recorder.all("message")).toEqual([]);
  });

  test("holds no messages of the others until they are asked for", async () => {
    const server = await crowd();
    const chat = await openChat(server, "alice", quiet);
    const recorder = new Recorder(chat);
    await recorder.until(() => chat.conversations.list().length === people.length);
    const newest = chat.conversation("user-24");
    const oldest = chat.conversation("user-00");
    expect(newest.messages.map(({ text }) => text)).toEqual(["first", "second"]);
    expect([oldest.messages, oldest.hasOlder]).toEqual([[], true]);

    const loaded = await oldest.loadOlder();

    expect(loaded.map(({ text }) => text)).toEqual(["first", "second"]);
    expect([oldest.messages, oldest.hasOlder]).toEqual([loaded, false]);
  });

  test("a list may hold a conversation for each row: only the one whose messages are read loads them", async () => {
    const server = await crowd();
    const chat = await openChat(server, "alice", quiet);
    const recorder = new Recorder(chat);
    await recorder.until(() => chat.conversations.list().length === people.length);
    const asked = () => server.requests.filter(({ path }) => path.endsWith("/events")).length;
    const rows = chat.conversations.list().map(({ conversWith }) => chat.conversation(conversWith));
    const oldest = chat.conversation("user-00");
    for (const row of rows) row.subscribe(() => undefined);
    const loaded = new Promise<void>((resolve) => {
      oldest.subscribe(() => oldest.messages.length === 2 && resolve());
    });
    expect(rows.map(({ summary, typing }) => [summary.unread, typing])).toEqual(people.map(() => [2, []]));
    server.edge.drop();
    await recorder.until(() => recorder.all("status").at(-1)?.status === "online");
    expect(asked()).toBe(0);

    expect(oldest.messages).toEqual([]);
    await loaded;

    expect(asked()).toBe(1);
  });

  test("announces once what is written while the pages come, in listed conversations and in others", async () => {
    const server = await crowd();
    let pages = 0;
    server.respond = async (request) => {
      if (!isSync(request)) return undefined;
      pages += 1;
      if (pages === 2 || pages === 4) {
        for (const who of ["user-00", "user-12", "user-24"])
          await server.send(who, "alice", { text: `page ${pages}` });
      }
      return undefined;
    };

    const chat = await openChat(server, "alice", quiet);
    const recorder = new Recorder(chat);
    await recorder.until(
      () => recorder.all("message").length >= 6 && chat.conversations.list().length === 25,
    );
    server.edge.drop();
    await recorder.until(() => recorder.all("status").at(-1)?.status === "online");

    for (const who of ["user-00", "user-12", "user-24"]) {
      expect(recorder.texts(who)).toEqual(["page 2", "page 4"]);
      expect(chat.conversations.get(who)?.unread).toBe(4);
    }
    expect(recorder.all("message")).toHaveLength(6);
  });

  test("asks one question when nothing has changed, and gets a short answer", async () => {
    const server = await crowd();
    const chat = await openChat(server, "alice", quiet);
    const recorder = new Recorder(chat);
    await recorder.until(() => chat.conversations.list().length === people.length);
    await chat.flush();
    const before = server.requests.filter(isSync).length;

    server.edge.drop();
    await recorder.until(() => recorder.all("status").at(-1)?.status === "online");

    expect(server.requests.filter(isSync).length).toBe(before + 1);
    expect(chat.conversations.list()).toHaveLength(people.length);
  });

  test("goes on after a restart: what was missed is announced, and the whole list is there", async () => {
    const server = await crowd();
    const storage = memoryStorage();
    const before = await openChat(server, "alice", { storage, ...quiet });
    const first = new Recorder(before);
    await first.until(() => before.conversations.list().length === people.length);
    await before.flush();
    await before.close();
    expect(await positionsIn(storage)).toMatchObject({ cursor: expect.any(String) });
    const missed = ["user-03", "user-17", "user-11", "user-05", "user-21", "user-09"];
    for (const who of missed) await server.send(who, "alice", { text: "missed" });

    const after = await openChat(server, "alice", { storage, ...quiet });
    const second = new Recorder(after);
    await second.until(
      () =>
        second.all("message").length === missed.length && after.conversations.list().length === people.length,
    );

    expect(
      second
        .all("message")
        .map(({ conversWith }) => conversWith)
        .toSorted(),
    ).toEqual(missed.toSorted());
    expect(second.all("reset")).toEqual([]);
    expect(after.conversation("user-09").messages.map(({ text }) => text)).toEqual([
      "first",
      "second",
      "missed",
    ]);
    expect(after.conversations.get("user-09")).toMatchObject({ unread: 3, lastMessage: { text: "missed" } });
  });
});

describe("what a storage holds of an earlier run", () => {
  async function kept(change: (positions: Record<string, unknown>) => Record<string, unknown>) {
    const server = await openServer();
    await server.send("bob", "alice", { text: "before" });
    const storage = memoryStorage();
    const before = await openChat(server, "alice", { storage });
    await before.flush();
    await before.close();
    await storage.put("meta", `${app}/alice/positions`, change(await positionsIn(storage)));
    await server.send("bob", "alice", { text: "missed" });
    const chat = await openChat(server, "alice", { storage });
    return { server, chat, recorder: new Recorder(chat) };
  }

  test("may be positions without a cursor, of an earlier version: nothing is lost", async () => {
    const { chat, recorder } = await kept(({ epoch, checkedAt }) => ({
      epoch,
      checkedAt,
      positions: { bob: { seq: 1, message_id: "whatever" } },
    }));

    await recorder.until(() => recorder.texts("bob").length === 1);

    expect(recorder.texts("bob")).toEqual(["missed"]);
    expect(recorder.all("reset")).toEqual([]);
    expect(chat.conversation("bob").messages.map(({ text }) => text)).toEqual(["before", "missed"]);
  });

  test("may be a cursor that is too long for any: it does not count", async () => {
    const { recorder } = await kept((positions) => ({ ...positions, cursor: "x".repeat(10_000) }));

    await recorder.until(() => recorder.texts("bob").length === 1);

    expect(recorder.texts("bob")).toEqual(["missed"]);
  });

  test.each([
    ["a forged cursor", "forged"],
    ["a cursor of another user", "another user's"],
  ])("may be %s: everything begins anew, and goes on", async (_, cursor) => {
    const server = await openServer();
    const other = JSON.parse(await server.engine.sync.sync({ app, user: "mallory", admin: false }, {}));
    const {
      server: own,
      chat,
      recorder,
    } = await kept((positions) => ({
      ...positions,
      cursor: cursor === "forged" ? cursor : other.cursor,
    }));
    await recorder.until(() => recorder.all("reset").length === 1);

    await own.send("bob", "alice", { text: "live" });
    await recorder.until(() => recorder.texts("bob").length === 1);

    expect(chat.status).toBe("online");
    expect(recorder.all("reset")).toEqual([{ conversWith: "bob" }]);
    expect(chat.conversation("bob").messages.map(({ text }) => text)).toEqual(["before", "missed", "live"]);
    expect(recorder.texts("bob")).toEqual(["live"]);
  });
});
