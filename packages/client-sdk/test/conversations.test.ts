import type { Delivery } from "@chat21/engine";
import { topics } from "@chat21/protocol";
import { describe, expect, test } from "vitest";
import { memoryStorage } from "../src/index.ts";
import { settle } from "./support/manual-clock.ts";
import { actor, app } from "./support/test-server.ts";
import { openChat, openServer, Recorder } from "./support/world.ts";

describe("the conversation lists", () => {
  test("are there after connecting, newest first, with what a list shows", async () => {
    const server = await openServer();
    await server.send("bob", "alice", { text: "hi", sender_fullname: "Bob B." });
    await server.createGroup("group-1", "carol", "alice", "bob");
    await server.send("carol", "group-1", { text: "hello", recipient_fullname: "The group" });

    const chat = await openChat(server);

    expect(chat.conversations.list()).toMatchObject([
      {
        conversWith: "group-1",
        kind: "group",
        title: "The group-1",
        unread: 1,
        lastMessage: { text: "hello" },
      },
      {
        conversWith: "bob",
        kind: "direct",
        title: "Bob B.",
        unread: 1,
        head: 1,
        lastMessage: { text: "hi" },
      },
    ]);
    expect(chat.conversations.unread).toBe(2);
  });

  test("change with every message, and stay the same object while nothing changes", async () => {
    const server = await openServer();
    await server.send("bob", "alice", { text: "1" });
    const chat = await openChat(server);
    const recorder = new Recorder(chat);
    const before = chat.conversations.list();
    expect(chat.conversations.list()).toBe(before);

    await server.send("bob", "alice", { text: "2" });
    await recorder.until(() =>
      recorder.all("conversation").some(({ conversation }) => conversation.unread === 2),
    );

    expect(chat.conversations.list()).not.toBe(before);
    expect(chat.conversations.get("bob")).toMatchObject({ unread: 2, lastMessage: { text: "2" }, head: 2 });
    expect(chat.conversations.get("carol")).toBeUndefined();
  });

  test("show what foreign clients send as well as it can be shown, and miss none of it", async () => {
    const server = await openServer();
    const chat = await openChat(server);
    const recorder = new Recorder(chat);
    await server.send("bob", "alice", { text: 5, sender_fullname: 12, type: { deep: 1 } } as never);
    await server.send("bob", "alice", { text: { html: "hi" }, sender_fullname: { first: "Bob" } } as never);
    await recorder.until(() => recorder.all("message").length === 2);

    expect(recorder.all("message").map(({ message }) => [message.text, message.senderFullname])).toEqual([
      ["5", "12"],
      ["", "bob"],
    ]);
  });

  test("leave out messages that ask for it", async () => {
    const server = await openServer();
    const chat = await openChat(server);
    const recorder = new Recorder(chat);
    await server.send("bob", "alice", { text: "listed" });

    await server.send("bob", "alice", { text: "silent", attributes: { updateconversation: false } });
    await recorder.until(() => recorder.texts("bob").length === 2);

    expect(chat.conversations.get("bob")?.lastMessage?.text).toBe("listed");
  });

  test("tell subscribers once for many changes", async () => {
    const server = await openServer();
    await server.send("bob", "alice", { text: "1" });
    const chat = await openChat(server);
    await chat.flush();
    server.edge.fateOf = () => "lose";
    await settle();
    let calls = 0;
    const unsubscribe = chat.conversations.subscribe(() => {
      calls += 1;
    });

    chat.conversations.markRead("bob");
    chat.conversation("bob").markRead();
    await settle();
    unsubscribe();
    chat.conversations.markRead("bob");
    await settle();

    expect(calls).toBe(1);
  });

  test("move a conversation to the archive, and back with its next message", async () => {
    const server = await openServer();
    await server.send("bob", "alice", { text: "1" });
    const chat = await openChat(server);
    const recorder = new Recorder(chat);

    await chat.conversations.archive("bob");
    expect(chat.conversations.list()).toEqual([]);
    expect(chat.conversations.list({ archived: true })).toMatchObject([
      { conversWith: "bob", archived: true },
    ]);

    await server.send("bob", "alice", { text: "2" });
    await recorder.until(() => recorder.texts("bob").length === 1);
    expect(chat.conversations.list()).toMatchObject([{ conversWith: "bob", archived: false }]);
  });

  test("take a conversation out of the archive again, on every device", async () => {
    const server = await openServer();
    await server.send("bob", "alice", { text: "1" });
    const chat = await openChat(server);
    const other = await openChat(server, "alice", { deviceId: "other" });
    const recorder = new Recorder(other);
    await chat.conversations.archive("bob");
    await recorder.until(() => other.conversations.get("bob")?.archived === true);

    await chat.conversations.unarchive("bob");

    expect(chat.conversations.list()).toMatchObject([{ conversWith: "bob", archived: false }]);
    await recorder.until(() => other.conversations.get("bob")?.archived === false);
    expect((await server.states("alice")).map(({ archived }) => archived)).toEqual([false]);
  });

  test("keep what was done while the server was being asked how things stand", async () => {
    const server = await openServer();
    await server.send("bob", "alice", { text: "1" });
    const chat = await openChat(server);
    const recorder = new Recorder(chat);
    await server.send("bob", "alice", { text: "2" });
    const other = await openChat(server, "alice", { deviceId: "tablet" });
    let asked = false;
    server.respond = async ({ path, token }) => {
      if (!path.endsWith("/sync") || asked) return undefined;
      asked = true;
      const answer = await server.engine.sync.sync(actor("alice"), { limit: 200 });
      expect(token).not.toBe("");
      // The answer is on its way when another device archives.
      await other.conversations.archive("bob");
      await recorder.until(() => chat.conversations.get("bob")?.archived === true);
      return { status: 200, body: JSON.parse(answer) };
    };
    server.edge.clients.find(({ session }) => session.clientId !== "tablet")?.close();
    await recorder.until(() => asked && chat.status === "online");

    expect(chat.conversations.get("bob")?.archived).toBe(true);
  });

  test("follow what another device does, while it is here and while it is away", async () => {
    const server = await openServer();
    await server.send("bob", "alice", { text: "1" });
    await server.send("carol", "alice", { text: "1" });
    const chat = await openChat(server);
    const other = await openChat(server, "alice", { deviceId: "tablet" });
    const recorder = new Recorder(chat);

    await other.conversations.archive("bob");
    other.conversations.markRead("bob");
    await recorder.until(() => chat.conversations.list().length === 1);
    await other.conversations.markUnread("carol");
    await recorder.until(() => chat.conversations.get("carol")?.markedUnread === true);
    other.conversations.markRead("carol");
    await other.flush();
    await recorder.until(() => chat.conversations.get("carol")?.markedUnread === false);
    server.edge.fateOf = () => "lose";
    await other.conversations.archive("carol");
    await other.conversations.markUnread("bob");
    server.edge.fateOf = () => "deliver";
    server.edge.drop();
    await recorder.until(() => chat.conversations.list().length === 0);

    expect(chat.conversations.get("carol")).toMatchObject({ archived: true, unread: 0, markedUnread: false });
    expect(chat.conversations.get("bob")).toMatchObject({ archived: true, unread: 0, markedUnread: true });
  });

  test("stand in the server's order, also where times are equal", async () => {
    const server = await openServer();
    const others = ["zoe", "bob", "mia", "adam"];
    const timestamp = Date.now();
    for (const other of others) await server.send(other, "alice", { text: "at once", timestamp });

    const chat = await openChat(server);

    const names = (items: readonly { readonly conversWith: string }[]) =>
      items.map(({ conversWith }) => conversWith);
    expect(names(chat.conversations.list())).toEqual(names(await server.states("alice")));
    expect(new Set(chat.conversations.list().map(({ timestamp: at }) => at))).toEqual(new Set([timestamp]));
  });
});

describe("unread messages", () => {
  test("are counted, and gone when they are read, here and on the server", async () => {
    const server = await openServer();
    await server.send("bob", "alice", { text: "1" });
    await server.send("bob", "alice", { text: "2" });
    const chat = await openChat(server);
    await chat.send("bob", { text: "mine" });
    expect(chat.conversations.get("bob")?.unread).toBe(2);

    chat.conversation("bob").markRead();
    expect(chat.conversations.get("bob")).toMatchObject({ unread: 0, own: { read: 3 } });
    await chat.flush();

    const view = await server.store.conversations.view(app, "alice.bob", "alice");
    expect(view).toMatchObject({ state: { read: 3 }, unread: 0 });
  });

  test("are counted from the middle on demand", async () => {
    const server = await openServer();
    for (const text of ["1", "2", "3"]) await server.send("bob", "alice", { text });
    const chat = await openChat(server);

    chat.conversation("bob").markRead(2);

    expect(chat.conversations.get("bob")?.unread).toBe(1);
  });

  test("follow another device that reads", async () => {
    const server = await openServer();
    await server.send("bob", "alice", { text: "1" });
    const chat = await openChat(server);
    const other = await openChat(server, "alice", { deviceId: "tablet" });
    const recorder = new Recorder(chat);

    other.conversations.markRead("bob");
    await recorder.until(() => chat.conversations.get("bob")?.unread === 0);

    expect(recorder.all("receipt")).toContainEqual({
      conversWith: "bob",
      user: "alice",
      delivered: 1,
      read: 1,
    });
  });

  test("are right for more than is held", async () => {
    const server = await openServer();
    for (let i = 0; i < 100; i++) await server.send("bob", "alice", { text: String(i) });
    const chat = await openChat(server);
    const recorder = new Recorder(chat);

    expect(chat.conversation("bob").messages.length).toBeLessThan(100);
    expect(chat.conversations.get("bob")?.unread).toBe(100);
    await server.send("bob", "alice", { text: "100" });
    await recorder.until(() => recorder.texts("bob").length === 1);
    expect(chat.conversations.get("bob")?.unread).toBe(101);
  });

  test("stay marked by another device when a read mark comes again after a lost answer", async () => {
    const server = await openServer();
    await server.send("bob", "alice", { text: "1" });
    const chat = await openChat(server);
    const other = await openChat(server, "alice", { deviceId: "tablet" });
    const marks = () => server.edge.published.filter(({ topic }) => topic.includes("/commands/"));
    await chat.flush();
    server.edge.fateOf = ({ topic }) => (topic.endsWith("/answer") ? "lose" : "deliver");
    chat.conversations.markRead("bob");
    await expect.poll(() => server.states("alice"), { timeout: 10_000 }).toMatchObject([{ read: 1 }]);

    server.edge.fateOf = () => "deliver";
    await other.conversations.markUnread("bob");
    const before = marks().length;
    server.edge.drop();
    await chat.flush();

    expect(marks().length).toBeGreaterThan(before);
    expect(await server.states("alice")).toMatchObject([{ read: 1, conversation: { is_new: true } }]);
  });

  test("come back by hand, until the conversation is read", async () => {
    const server = await openServer();
    await server.send("bob", "alice", { text: "1" });
    const chat = await openChat(server);
    chat.conversations.markRead("bob");

    await chat.conversations.markUnread("bob");
    expect(chat.conversations.get("bob")).toMatchObject({ markedUnread: true, unread: 0 });
    chat.conversations.markRead("bob");

    expect(chat.conversations.get("bob")).toMatchObject({ markedUnread: false });
    await chat.flush();
  });
});

describe("receipts", () => {
  test("take one's own messages from sent to delivered to read", async () => {
    const server = await openServer();
    const alice = await openChat(server);
    const bob = await openChat(server, "bob");
    const recorder = new Recorder(alice);
    const received = new Recorder(bob);

    await alice.send("bob", { text: "hi" });
    await recorder.until(() => alice.conversation("bob").messages[0]?.state === "delivered");
    await received.until(() => received.texts("alice").length === 1);
    bob.conversation("alice").markRead();
    await recorder.until(() => alice.conversation("bob").messages[0]?.state === "read");

    expect(recorder.all("messageUpdated").map(({ message }) => message.state)).toEqual([
      "queued",
      "sending",
      "sent",
      "delivered",
      "read",
    ]);
    expect(alice.conversations.get("bob")?.counterpart).toEqual({ delivered: 1, read: 1 });
  });

  test("are not sent on demand", async () => {
    const server = await openServer();
    const bob = await openChat(server, "bob", { reportDelivery: false });
    const received = new Recorder(bob);

    await server.send("alice", "bob", { text: "hi" });
    await received.until(() => received.texts("alice").length === 1);
    await bob.flush();

    expect(server.edge.published.filter(({ topic }) => topic.includes("/commands/"))).toEqual([]);
  });

  test.each(["message_id", "tempUID"])(
    "of clients without watermarks count as delivered: by %s",
    async (by) => {
      const server = await openServer();
      const alice = await openChat(server);
      const recorder = new Recorder(alice);
      const { messageId } = await alice.send("bob", { text: "hi", attributes: { tempUID: "T-1" } });

      const id = by === "tempUID" ? "T-1" : messageId;
      const update = { timelineOf: "alice", message_id: id, status: 250 };
      const topic = topics.messageUpdated(app, "alice", "bob", id);
      const delivery: Delivery = { app, user: "alice", topic, payload: JSON.stringify(update), qos: 1 };
      server.edge.deliver([delivery]);
      await recorder.until(() => alice.conversation("bob").messages[0]?.state === "delivered");

      expect(recorder.all("receipt")).toEqual([{ conversWith: "bob", user: "bob", delivered: 1, read: 0 }]);
    },
  );
});

describe("older messages", () => {
  test("are loaded in front, page by page, until the beginning", async () => {
    const server = await openServer();
    for (let i = 1; i <= 100; i++) await server.send("bob", "alice", { text: String(i) });
    const chat = await openChat(server);
    const bob = chat.conversation("bob");
    expect([bob.messages.length, bob.hasOlder]).toEqual([30, true]);

    const [first, joined] = await Promise.all([bob.loadOlder(), bob.loadOlder()]);
    expect(first.map(({ seq }) => seq)).toEqual(Array.from({ length: 50 }, (_, i) => i + 21));
    expect(joined).toBe(first);
    await bob.loadOlder();

    expect(bob.messages.map(({ seq }) => seq)).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
    expect(bob.hasOlder).toBe(false);
    expect(await bob.loadOlder()).toEqual([]);
  });

  test("can be read without holding them", async () => {
    const server = await openServer();
    for (let i = 1; i <= 5; i++) await server.send("bob", "alice", { text: String(i) });
    const chat = await openChat(server, "carol");
    const asBob = await openChat(server, "bob");

    const newest = await asBob.conversation("alice").history({ limit: 2 });
    const older = await asBob.conversation("alice").history({ limit: 10, before: newest.before ?? 0 });

    expect(newest.messages.map(({ text }) => text)).toEqual(["4", "5"]);
    expect(older.messages.map(({ text }) => text)).toEqual(["1", "2", "3"]);
    expect(older.before).toBeNull();
    expect(await chat.conversation("nobody").history()).toEqual({ messages: [], before: null });
  });

  test("are dropped again when new ones come, and can be loaded again", async () => {
    const server = await openServer();
    const chat = await openChat(server, "alice", { heldMessages: 3 });
    const recorder = new Recorder(chat);
    for (let i = 1; i <= 5; i++) await server.send("bob", "alice", { text: String(i) });
    await recorder.until(() => recorder.texts("bob").length === 5);
    const bob = chat.conversation("bob");
    expect(bob.messages.map(({ text }) => text)).toEqual(["3", "4", "5"]);
    expect(bob.hasOlder).toBe(true);

    await bob.loadOlder();

    expect(bob.messages.map(({ text }) => text)).toEqual(["1", "2", "3", "4", "5"]);
    expect(chat.conversations.get("bob")?.unread).toBe(5);
  });
});

describe("messages that are being read", () => {
  test("stay when new ones come, until all are read or nobody listens", async () => {
    const server = await openServer();
    const chat = await openChat(server, "alice", { heldMessages: 3 });
    const recorder = new Recorder(chat);
    const bob = chat.conversation("bob");
    const texts = () => bob.messages.map(({ text }) => text);
    const hear = async (...some: string[]) => {
      for (const text of some) await server.send("bob", "alice", { text });
      await recorder.until(() => recorder.texts("bob").at(-1) === some.at(-1));
    };
    const stop = bob.subscribe(() => undefined);
    expect(texts()).toEqual([]);

    await hear("1", "2", "3", "4", "5");
    expect(texts()).toEqual(["1", "2", "3", "4", "5"]);
    stop();
    await hear("6");
    expect(texts()).toEqual(["4", "5", "6"]);
    bob.subscribe(() => undefined);
    await hear("7", "8");
    expect(texts()).toEqual(["4", "5", "6", "7", "8"]);
    bob.markRead();
    await chat.send("bob", { text: "9" });

    expect(texts()).toEqual(["7", "8", "9"]);
  });

  test("stay while a client catches up", async () => {
    const server = await openServer();
    const storage = memoryStorage();
    const before = await openChat(server, "alice", { storage });
    const recorder = new Recorder(before);
    await server.send("bob", "alice", { text: "0" });
    await recorder.until(() => recorder.texts("bob").length === 1);
    await before.close();
    for (let i = 1; i <= 300; i++) await server.send("bob", "alice", { text: String(i) });

    const after = await openChat(server, "alice", { storage, heldMessages: 10, offlineStart: true });
    const missed = new Recorder(after);
    const bob = after.conversation("bob");
    bob.subscribe(() => undefined);
    expect(bob.messages).toEqual([]);
    await missed.until(() => missed.texts("bob").length === 300);

    expect(bob.messages.at(0)?.text).toBe("0");
  });
});

describe("the first message of somebody new", () => {
  test("is announced when it was stored in the same millisecond in which the first list was read", async () => {
    const server = await openServer();
    server.stopClock();
    const chat = await openChat(server);
    const recorder = new Recorder(chat);
    server.edge.fateOf = () => "lose";
    await server.send("bob", "alice", { text: "missed" });
    server.edge.fateOf = () => "deliver";

    server.edge.drop();
    await recorder.until(() => chat.conversation("bob").messages.length === 1);

    expect(recorder.texts("bob")).toEqual(["missed"]);
  });
});

describe("a group that one is added to", () => {
  test("shows what was written before, and announces only what comes after", async () => {
    const server = await openServer();
    await server.createGroup("group-1", "bob");
    for (const text of ["1", "2"]) await server.send("bob", "group-1", { text });
    server.pass(1);
    const chat = await openChat(server);
    const recorder = new Recorder(chat);

    await server.engine.groups.addMember(actor("bob"), "group-1", "alice");
    await recorder.until(() => chat.conversation("group-1").messages.length > 2);
    await server.send("bob", "group-1", { text: "3" });
    await recorder.until(() => recorder.texts("group-1").includes("3"));

    const said = chat.conversation("group-1").messages.filter(({ sender }) => sender === "bob");
    expect(said.map(({ text }) => text)).toEqual(["1", "2", "3"]);
    const announced = recorder.all("message").filter(({ message }) => message.sender === "bob");
    expect(announced.map(({ message }) => message.text)).toEqual(["3"]);
  });
});
