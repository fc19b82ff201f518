import { describe, expect, test } from "vitest";
import { memoryStorage } from "../src/index.ts";
import { actor } from "./support/test-server.ts";
import { openChat, openServer, Recorder } from "./support/world.ts";

const shown = (messages: readonly { text: string; deleted: boolean }[]) =>
  messages.map(({ text, deleted }) => (deleted ? null : text));

/** Bob has written a, b and c to alice. */
async function threeMessages() {
  const server = await openServer();
  for (const text of ["a", "b", "c"]) {
    await server.send("bob", "alice", { text, attributes: { color: "blue" }, metadata: { src: "x" } });
  }
  return server;
}

describe("a message that is deleted", () => {
  test("is a tombstone at once: it keeps its place, key and sender, and nothing of what was written", async () => {
    const server = await threeMessages();
    const chat = await openChat(server);
    const recorder = new Recorder(chat);
    const [, before] = chat.conversation("bob").messages;

    await server.erase("alice", [2], "bob");
    await recorder.until(() => recorder.all("messageUpdated").length === 1);

    const [, after] = chat.conversation("bob").messages;
    expect(shown(chat.conversation("bob").messages)).toEqual(["a", null, "c"]);
    const kept = { key: before?.key, seq: 2, sender: "bob", messageId: before?.messageId };
    const gone = { text: "", attributes: {}, metadata: null, wire: null };
    expect(after).toMatchObject({ ...kept, ...gone, deleted: true, state: "received" });
    expect(recorder.all("messageUpdated")).toEqual([{ conversWith: "bob", message: after }]);
    expect(recorder.all("event")).toMatchObject([{ type: "erased", seq: 4 }]);
  });

  test("while this client was away is one after the reconnect", async () => {
    const server = await threeMessages();
    const chat = await openChat(server);
    const recorder = new Recorder(chat);
    server.edge.fateOf = ({ topic }) => (topic.includes("/alice/") ? "lose" : "deliver");
    await server.erase("alice", [1, 3], "bob");
    server.edge.fateOf = () => "deliver";

    server.edge.drop();
    await recorder.until(() => recorder.all("messageUpdated").length === 2);

    expect(shown(chat.conversation("bob").messages)).toEqual([null, "b", null]);
    expect(chat.conversations.get("bob")).toMatchObject({ unread: 1, lastMessage: { text: "b" } });
  });

  test("that was missed and deleted meanwhile is told as one, in its order", async () => {
    const server = await threeMessages();
    const chat = await openChat(server);
    const recorder = new Recorder(chat);
    server.edge.fateOf = ({ topic }) => (topic.includes("/alice/") ? "lose" : "deliver");
    await server.send("bob", "alice", { text: "d" });
    await server.send("bob", "alice", { text: "e" });
    await server.erase("alice", [4], "bob");
    server.edge.fateOf = () => "deliver";

    server.edge.drop();
    await recorder.until(() => recorder.all("message").length === 2);

    expect(shown(recorder.all("message").map(({ message }) => message))).toEqual([null, "e"]);
    expect(chat.conversations.get("bob")).toMatchObject({ unread: 4, lastMessage: { text: "e" } });
  });

  test("between two runs with a durable storage does not come back", async () => {
    const server = await threeMessages();
    const storage = memoryStorage();
    const before = await openChat(server, "alice", { storage });
    await before.flush();
    await before.close();
    await server.erase("alice", [2], "bob");

    const after = await openChat(server, "alice", { storage });

    expect(shown(after.conversation("bob").messages)).toEqual(["a", null, "c"]);
    expect(after.conversations.get("bob")).toMatchObject({ unread: 2, lastMessage: { text: "c" } });
  });

  test("is one in pages of history, held or not", async () => {
    const server = await openServer();
    for (let i = 1; i <= 60; i++) await server.send("bob", "alice", { text: String(i) });
    await server.erase("alice", [2, 40], "bob");
    const chat = await openChat(server);
    const bob = chat.conversation("bob");

    const { messages } = await bob.history({ before: 4 });
    const older = await bob.loadOlder();

    expect(shown(messages)).toEqual(["1", null, "3"]);
    expect(messages[1]).toMatchObject({ seq: 2, sender: "bob", own: false, messageId: null, deleted: true });
    expect(older.find(({ seq }) => seq === 2)?.deleted).toBe(true);
    expect(bob.messages.filter(({ deleted }) => deleted).map(({ seq }) => seq)).toEqual([2, 40]);
  });

  test("while a page with it is on its way is one in that page, too", async () => {
    const server = await openServer();
    for (let i = 1; i <= 60; i++) await server.send("bob", "alice", { text: String(i) });
    const chat = await openChat(server);
    const recorder = new Recorder(chat);
    let asked = 0;
    server.respond = async ({ path }) => {
      if (!path.endsWith("/events") || ++asked > 1) return undefined;
      const page = await server.engine.sync.events(actor("alice"), "bob", { before: 31, limit: 50 });
      // The page was read; now one of its messages is deleted, and the client hears of that first.
      await server.erase("alice", [5], "bob");
      await recorder.until(() => recorder.all("event").length === 1);
      return { status: 200, body: JSON.parse(page) };
    };

    await chat.conversation("bob").loadOlder();

    expect(chat.conversation("bob").messages.find(({ seq }) => seq === 5)?.deleted).toBe(true);
    expect(asked).toBe(2);
  });

  test("leaves the list to the message before it, also when that one is not held", async () => {
    const server = await threeMessages();
    const chat = await openChat(server, "alice", { heldMessages: 1 });
    const recorder = new Recorder(chat);
    await server.send("bob", "alice", { text: "d" });
    await recorder.until(() => recorder.texts("bob").length === 1);
    expect(shown(chat.conversation("bob").messages)).toEqual(["d"]);

    await server.erase("alice", [4], "bob");
    await recorder.until(() => chat.conversations.get("bob")?.lastMessage?.text === "c");

    expect(chat.conversations.get("bob")?.unread).toBe(3);
    expect(recorder.all("conversationRemoved")).toEqual([]);
  });

  test("takes its conversation off the list when nothing else is in it", async () => {
    const server = await openServer();
    await server.send("bob", "alice", { text: "only" });
    const chat = await openChat(server);
    const recorder = new Recorder(chat);

    await server.erase("alice", [1], "bob");
    await recorder.until(() => recorder.all("conversationRemoved").length === 1);

    expect(chat.conversations.list()).toEqual([]);
    expect(shown(chat.conversation("bob").messages)).toEqual([null]);
  });

  test("is one for somebody who has left the group meanwhile", async () => {
    const server = await openServer();
    await server.createGroup("group-1", "bob", "alice");
    const { seq } = await server.send("bob", "group-1", { text: "secret" });
    const chat = await openChat(server);
    const recorder = new Recorder(chat);
    await server.engine.groups.removeMember(actor("bob"), "group-1", "alice");
    await server.send("bob", "group-1", { text: "not for alice" });
    await server.send("bob", "group-1", { text: "nor this" });

    await server.erase("group-1", [seq], "bob");
    await recorder.until(() => recorder.all("messageUpdated").length === 1);

    expect(recorder.all("messageUpdated")[0]?.message).toMatchObject({ seq, deleted: true });
    expect(recorder.all("error")).toEqual([]);
  });

  test("by its sender is gone for both, and nobody else's can be erased", async () => {
    const server = await openServer();
    const chat = await openChat(server);
    const bob = await openChat(server, "bob");
    const recorder = new Recorder(bob);
    const { seq } = await chat.send("bob", { text: "oops" });

    await expect(bob.conversation("alice").erase(seq)).rejects.toMatchObject({ code: "forbidden" });
    await chat.conversation("bob").erase(seq);
    await recorder.until(() => bob.conversation("alice").messages[0]?.deleted === true);

    expect(shown(chat.conversation("bob").messages)).toEqual([null]);
    await expect(chat.conversation("bob").erase(seq)).rejects.toMatchObject({ code: "not_found" });
    await expect(chat.conversation("bob").erase(99)).rejects.toMatchObject({ code: "not_found" });
  });

  test("of one's own keeps how far it got", async () => {
    const server = await openServer();
    const chat = await openChat(server);
    const bob = await openChat(server, "bob");
    const recorder = new Recorder(chat);
    await chat.send("bob", { text: "oops" });
    await recorder.until(() => chat.conversation("bob").messages[0]?.state === "delivered");

    await server.erase("bob", [1], "alice");
    await recorder.until(() => chat.conversation("bob").messages[0]?.deleted === true);
    bob.conversation("alice").markRead();
    await recorder.until(() => chat.conversation("bob").messages[0]?.state === "read");

    expect(chat.conversation("bob").messages[0]).toMatchObject({ own: true, text: "", deleted: true });
  });
});
