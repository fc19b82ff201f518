import { topics } from "@chat21/protocol";
import { describe, expect, test } from "vitest";
import { settle } from "./support/manual-clock.ts";
import { openChat, openServer, Recorder } from "./support/world.ts";

describe("the conversation lists", () => {
  test("are there after connecting, newest first, with what a list shows", async () => {
    const server = await openServer();
    server.send("bob", "alice", { text: "hi", sender_fullname: "Bob B." });
    server.log.join("group-1", ["alice", "bob", "carol"]);
    server.send("carol", "group-1", { text: "hello", recipient_fullname: "The group" });

    const chat = await openChat(server);

    expect(chat.conversations.list()).toMatchObject([
      {
        conversWith: "group-1",
        kind: "group",
        title: "The group",
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
    server.send("bob", "alice", { text: "1" });
    const chat = await openChat(server);
    const recorder = new Recorder(chat);
    const before = chat.conversations.list();
    expect(chat.conversations.list()).toBe(before);

    server.send("bob", "alice", { text: "2" });
    await recorder.until(() =>
      recorder.all("conversation").some(({ conversation }) => conversation.unread === 2),
    );

    expect(chat.conversations.list()).not.toBe(before);
    expect(chat.conversations.get("bob")).toMatchObject({ unread: 2, lastMessage: { text: "2" }, head: 2 });
    expect(chat.conversations.get("carol")).toBeUndefined();
  });

  test("leave out messages that ask for it", async () => {
    const server = await openServer();
    const chat = await openChat(server);
    const recorder = new Recorder(chat);
    server.send("bob", "alice", { text: "listed" });

    server.send("bob", "alice", { text: "silent", attributes: { updateconversation: false } });
    await recorder.until(() => recorder.texts("bob").length === 2);

    expect(chat.conversations.get("bob")?.lastMessage?.text).toBe("listed");
  });

  test("tell subscribers once for many changes", async () => {
    const server = await openServer();
    server.send("bob", "alice", { text: "1" });
    const chat = await openChat(server);
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
    server.respond = ({ method, path }) =>
      method === "DELETE" && path === "/tilechat/conversations/bob"
        ? { status: 201, body: { success: true } }
        : undefined;
    server.send("bob", "alice", { text: "1" });
    const chat = await openChat(server);
    const recorder = new Recorder(chat);

    await chat.conversations.archive("bob");
    expect(chat.conversations.list()).toEqual([]);
    expect(chat.conversations.list({ archived: true })).toMatchObject([
      { conversWith: "bob", archived: true },
    ]);

    server.send("bob", "alice", { text: "2" });
    await recorder.until(() => recorder.texts("bob").length === 1);
    expect(chat.conversations.list()).toMatchObject([{ conversWith: "bob", archived: false }]);
  });

  test("keep what was done while the server was being asked how things stand", async () => {
    const server = await openServer();
    server.send("bob", "alice", { text: "1" });
    const chat = await openChat(server);
    const recorder = new Recorder(chat);
    server.drop();
    let asked = false;
    server.respond = async ({ path, body }) => {
      if (!path.endsWith("/sync")) return undefined;
      const answer = server.log.sync("alice", body as never);
      // The answer is on its way when another device archives.
      server.deliver(topics.archivedConversationAdded("tilechat", "alice", "bob"), {});
      await recorder.until(() => chat.conversations.get("bob")?.archived === true);
      asked = true;
      return { status: 200, body: answer };
    };
    await recorder.until(() => asked && chat.status === "online");

    expect(chat.conversations.get("bob")?.archived).toBe(true);
  });

  test("follow what another device does", async () => {
    const server = await openServer();
    server.send("bob", "alice", { text: "1" });
    const chat = await openChat(server);
    const recorder = new Recorder(chat);

    server.deliver(topics.archivedConversationAdded("tilechat", "alice", "bob"), { any: "document" });
    await recorder.until(() => chat.conversations.list().length === 0);
    server.deliver(topics.archivedConversationDeleted("tilechat", "alice", "bob"), {});
    await recorder.until(() => chat.conversations.list().length === 1);
    server.deliver(topics.conversationUpdated("tilechat", "alice", "bob"), { is_new: true });
    await recorder.until(() => chat.conversations.get("bob")?.markedUnread === true);

    expect(chat.conversations.get("bob")).toMatchObject({ archived: false, markedUnread: true });
  });
});

describe("unread messages", () => {
  test("are counted, and gone when they are read, here and on the server", async () => {
    const server = await openServer();
    server.send("bob", "alice", { text: "1" });
    server.send("bob", "alice", { text: "2" });
    const chat = await openChat(server);
    await chat.send("bob", { text: "mine" });
    expect(chat.conversations.get("bob")?.unread).toBe(2);

    chat.conversation("bob").markRead();
    expect(chat.conversations.get("bob")).toMatchObject({ unread: 0, own: { read: 3 } });
    await chat.flush();

    const mark = server.log.sync("alice", { positions: {} }).conversations[0]?.state;
    expect(mark).toMatchObject({ read: 3, unread: 0 });
  });

  test("are counted from the middle on demand", async () => {
    const server = await openServer();
    for (const text of ["1", "2", "3"]) server.send("bob", "alice", { text });
    const chat = await openChat(server);

    chat.conversation("bob").markRead(2);

    expect(chat.conversations.get("bob")?.unread).toBe(1);
  });

  test("follow another device that reads", async () => {
    const server = await openServer();
    server.send("bob", "alice", { text: "1" });
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
    for (let i = 0; i < 100; i++) server.send("bob", "alice", { text: String(i) });
    const chat = await openChat(server);
    const recorder = new Recorder(chat);

    expect(chat.conversation("bob").messages.length).toBeLessThan(100);
    expect(chat.conversations.get("bob")?.unread).toBe(100);
    server.send("bob", "alice", { text: "100" });
    await recorder.until(() => recorder.texts("bob").length === 1);
    expect(chat.conversations.get("bob")?.unread).toBe(101);
  });

  test("come back by hand, until the conversation is read", async () => {
    const server = await openServer();
    server.send("bob", "alice", { text: "1" });
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

    server.send("alice", "bob", { text: "hi" });
    await received.until(() => received.texts("alice").length === 1);
    await bob.flush();

    expect(server.published.filter(({ topic }) => topic.includes("/commands/"))).toEqual([]);
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
      server.deliver(topics.messageUpdated("tilechat", "alice", "bob", id), update);
      await recorder.until(() => alice.conversation("bob").messages[0]?.state === "delivered");

      expect(recorder.all("receipt")).toEqual([{ conversWith: "bob", user: "bob", delivered: 1, read: 0 }]);
    },
  );
});

describe("older messages", () => {
  test("are loaded in front, page by page, until the beginning", async () => {
    const server = await openServer();
    for (let i = 1; i <= 100; i++) server.send("bob", "alice", { text: String(i) });
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
    for (let i = 1; i <= 5; i++) server.send("bob", "alice", { text: String(i) });
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
    for (let i = 1; i <= 5; i++) server.send("bob", "alice", { text: String(i) });
    await recorder.until(() => recorder.texts("bob").length === 5);
    const bob = chat.conversation("bob");
    expect(bob.messages.map(({ text }) => text)).toEqual(["3", "4", "5"]);
    expect(bob.hasOlder).toBe(true);

    await bob.loadOlder();

    expect(bob.messages.map(({ text }) => text)).toEqual(["1", "2", "3", "4", "5"]);
    expect(chat.conversations.get("bob")?.unread).toBe(5);
  });
});

describe("a group that one is added to", () => {
  test("shows what was written before, and announces only what comes after", async () => {
    const server = await openServer();
    server.log.join("group-1", ["bob"]);
    for (const text of ["1", "2"]) server.send("bob", "group-1", { text });
    const chat = await openChat(server);
    const recorder = new Recorder(chat);

    server.log.join("group-1", ["alice"]);
    const body = { member_id: "alice" };
    server.announce(
      server.log.append({ conversation: "group-1", sender: "bob", type: "member_added", body }),
    );
    await recorder.until(() => chat.conversation("group-1").messages.length === 2);
    server.send("bob", "group-1", { text: "3" });
    await recorder.until(() => recorder.texts("group-1").length === 1);

    expect(recorder.texts("group-1")).toEqual(["3"]);
    expect(chat.conversation("group-1").messages.map(({ text }) => text)).toEqual(["1", "2", "3"]);
  });
});

describe("a conversation that was too far down the server's list", () => {
  test("is no news but for what is new in it", async () => {
    const server = await openServer();
    server.log.join("group-1", ["alice", "bob"]);
    for (const text of ["1", "2"]) server.send("bob", "group-1", { text });
    server.respond = ({ path, body }) => {
      if (!path.endsWith("/sync")) return undefined;
      const { conversations, ...answer } = server.log.sync("alice", body as never);
      return {
        status: 200,
        body: { ...answer, conversations: conversations.filter(() => server.log.now > later) },
      };
    };
    const later = server.log.now + 60_000;
    for (let i = 0; i < 20; i++) server.send("bob", "carol", { text: "time goes by" });
    const chat = await openChat(server);
    const recorder = new Recorder(chat);
    expect(chat.conversations.list()).toEqual([]);

    server.fateOfDelivery = () => "lose";
    for (let i = 0; i < 50; i++) server.send("bob", "carol", { text: "time goes by" });
    server.send("bob", "group-1", { text: "3" });
    server.drop();
    await recorder.until(() => recorder.texts("group-1").length > 0);

    expect(recorder.texts("group-1")).toEqual(["3"]);
    expect(chat.conversation("group-1").messages.map(({ text }) => text)).toEqual(["1", "2", "3"]);
  });
});
