import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Conversation, Storage } from "../src/index.ts";
import { memoryStorage } from "../src/index.ts";
import { fileStorage } from "../src/node.ts";
import { restoredDisk } from "./support/restored-disk.ts";
import { openChat, openServer, Recorder } from "./support/world.ts";

/** A machine may have much else to do: slow is no failure. */
const patient = { timeout: 20_000 };

const textsIn = ({ messages }: Pick<Conversation, "messages">) => messages.map(({ text }) => text);

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "chat21-sdk-"));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

describe.each<[string, () => Promise<() => Storage>]>([
  [
    "memory",
    async () => {
      const storage = memoryStorage();
      return () => storage;
    },
  ],
  [
    "files",
    async () => {
      const path = await folder();
      return () => fileStorage(path);
    },
  ],
])("a storage in %s", (_, open) => {
  test("answers with copies, by prefix and in order", async () => {
    const storage = (await open())();
    const value = { list: [1] };
    await storage.put("outbox", "a/2", value);
    await storage.put("outbox", "a/1", "one");
    await storage.put("outbox", "b/1", "other");
    await storage.put("meta", "a/1", "elsewhere");

    value.list.push(2);

    expect(await storage.list("outbox", "a/")).toEqual([
      { key: "a/1", value: "one" },
      { key: "a/2", value: { list: [1] } },
    ]);
    expect(await storage.get("meta", "a/1")).toBe("elsewhere");
    expect(await storage.get("meta", "a/2")).toBeUndefined();
  });

  test("takes calls in their order", async () => {
    const storage = (await open())();

    await Promise.all([
      storage.put("meta", "k", 1),
      storage.put("meta", "k", 2),
      storage.delete("meta", "k"),
      storage.put("meta", "k", 3),
      storage.delete("meta", "nothing"),
    ]);

    expect(await storage.get("meta", "k")).toBe(3);
  });

  test("lets unsent messages go out after a restart, once and in order, with their first id", async () => {
    const reopen = await open();
    const server = await openServer();
    const before = await openChat(server, "alice", { storage: reopen() });
    server.edge.loses = ({ topic }) => topic.endsWith("/outgoing");
    const lost = Promise.allSettled([
      before.send("bob", { text: "1" }, { clientMessageId: "m-1" }),
      before.send("bob", { text: "2" }, { clientMessageId: "m-2" }),
    ]);
    await server.edge.until(() => server.edge.published.some(({ topic }) => topic.endsWith("/outgoing")));
    await before.close();
    expect((await lost).map(({ status }) => status)).toEqual(["rejected", "rejected"]);

    server.edge.loses = () => false;
    const after = await openChat(server, "alice", { storage: reopen() });
    await after.flush();

    const stored = await server.events("bob", "alice");
    expect(stored.map(({ clientMessageId }) => clientMessageId)).toEqual(["m-1", "m-2"]);
    expect(after.outbox.list()).toEqual([]);
    expect(await reopen().list("outbox", "")).toEqual([]);
  });

  test("keeps a refused message as failed over a restart", async () => {
    const reopen = await open();
    const server = await openServer();
    await server.createGroup("group-1", "bob");
    const before = await openChat(server, "alice", { storage: reopen() });
    await before.send("group-1", { text: "hi" }).catch(() => undefined);
    await before.flush();
    await before.close();

    const after = await openChat(server, "alice", { storage: reopen() });

    expect(after.outbox.list()).toMatchObject([
      { state: "failed", text: "hi", error: { code: "not_member" } },
    ]);
  });

  test("lets events go on where they stood: each once, none left out", async () => {
    const reopen = await open();
    const server = await openServer();
    await server.send("bob", "alice", { text: "before the first sign-in" });
    const before = await openChat(server, "alice", { storage: reopen() });
    const first = new Recorder(before);
    await server.send("bob", "alice", { text: "1" });
    await first.until(() => first.texts("bob").length === 1);
    await before.close();
    await server.send("bob", "alice", { text: "2" });
    await server.send("carol", "alice", { text: "3" });

    const after = await openChat(server, "alice", { storage: reopen() });
    const second = new Recorder(after);
    await second.until(() => second.all("message").length === 2 && after.status === "online");

    expect(first.texts("bob")).toEqual(["1"]);
    expect([second.texts("bob"), second.texts("carol")]).toEqual([["2"], ["3"]]);
  });

  test("lets an opened conversation show its newest messages again, as soon as there is a network", async () => {
    const reopen = await open();
    // The list brings the messages of its first page alone, here those of carol.
    const server = await openServer({ pageConversations: 1 });
    const before = await openChat(server, "alice", { storage: reopen() });
    for (const text of ["1", "2"]) await before.send("bob", { text });
    await before.send("carol", { text: "newer" });
    await before.flush();
    await before.close();

    const after = await openChat(server, "alice", { storage: reopen(), offlineStart: true });
    const conversation = after.conversation("bob");

    await expect.poll(() => textsIn(conversation), patient).toEqual(["1", "2"]);
  });

  test("lets an opened conversation show its newest messages beside one that waits to be sent", async () => {
    const reopen = await open();
    const server = await openServer({ pageConversations: 1 });
    const before = await openChat(server, "alice", { storage: reopen() });
    await before.send("bob", { text: "sent" });
    await before.send("carol", { text: "newer" });
    await before.flush();
    server.edge.loses = ({ topic }) => topic.endsWith("/outgoing");
    const lost = before.send("bob", { text: "waits" }).catch(() => undefined);
    const outgoing = () => server.edge.published.filter(({ topic }) => topic.endsWith("/outgoing"));
    await server.edge.until(() => outgoing().length === 3);
    await before.close();
    await lost;

    const after = await openChat(server, "alice", { storage: reopen(), offlineStart: true });
    const conversation = after.conversation("bob");

    await expect.poll(() => textsIn(conversation), patient).toEqual(["sent", "waits"]);
  });

  test("keeps what was read when the server did not hear of it: it is read at once, and the server hears it", async () => {
    const reopen = await open();
    const server = await openServer();
    await server.send("bob", "alice", { text: "1" });
    await server.send("bob", "alice", { text: "2" });
    const before = await openChat(server, "alice", { storage: reopen() });
    server.edge.loses = ({ topic }) => topic.includes("/commands/");
    before.conversation("bob").markRead();
    await server.edge.until(() => server.edge.published.some(({ topic }) => topic.includes("/commands/")));
    await before.close();

    const after = await openChat(server, "alice", { storage: reopen() });
    expect(after.conversations.get("bob")).toMatchObject({ unread: 0, markedUnread: false });
    expect(await server.states("alice")).toMatchObject([{ conversWith: "bob", read: 0, unread: 2 }]);
    await after.close();
    server.edge.loses = () => false;
    const last = await openChat(server, "alice", { storage: reopen() });
    await last.flush();

    expect(await server.states("alice")).toMatchObject([{ conversWith: "bob", read: 2, unread: 0 }]);
    expect(await reopen().list("marks", "")).toEqual([]);
  });

  test("keeps what was read without a network", async () => {
    const reopen = await open();
    const server = await openServer();
    const before = await openChat(server, "alice", { storage: reopen() });
    const recorder = new Recorder(before);
    await server.send("bob", "alice", { text: "1" });
    await recorder.until(() => recorder.texts("bob").length === 1);
    server.isReachable = false;
    before.conversation("bob").markRead();
    await before.close();
    server.isReachable = true;

    const after = await openChat(server, "alice", { storage: reopen() });
    await after.flush();

    expect(await server.states("alice")).toMatchObject([{ conversWith: "bob", read: 1, unread: 0 }]);
  });

  test("keeps users apart whose ids begin alike", async () => {
    const reopen = await open();
    const server = await openServer();
    server.edge.loses = ({ topic }) => topic.endsWith("/outgoing");
    const other = await openChat(server, "alice/work", { storage: reopen() });
    const lost = other.send("bob", { text: "of another user" }).catch(() => undefined);
    await server.edge.until(() => server.edge.published.some(({ topic }) => topic.endsWith("/outgoing")));
    await other.close();
    await lost;
    server.edge.loses = () => false;

    const alice = await openChat(server, "alice", { storage: reopen() });
    await alice.flush();

    expect(alice.outbox.list()).toEqual([]);
    expect(await server.texts("bob", "alice")).toEqual([]);
  });

  test("keeps the device's id, and users apart", async () => {
    const reopen = await open();
    const server = await openServer();
    const before = await openChat(server, "alice", { storage: reopen() });
    const id = server.edge.clients[0]?.session.clientId;
    await before.close();
    const bob = await openChat(server, "bob", { storage: reopen() });
    await bob.close();

    await openChat(server, "alice", { storage: reopen() });

    expect(server.edge.clients.map(({ session }) => session.clientId)).toEqual([id]);
  });
});

/** What a run of alice leaves behind who has heard a message and could not send another one, and what comes meanwhile. */
async function leftBehind(storage: Storage) {
  const server = await openServer();
  await server.send("bob", "alice", { text: "before the first sign-in" });
  const chat = await openChat(server, "alice", { storage, offlineStart: true });
  const recorder = new Recorder(chat);
  await recorder.until(() => chat.status === "online");
  await server.send("bob", "alice", { text: "heard" });
  await recorder.until(() => recorder.texts("bob").length === 1);
  server.edge.loses = ({ topic }) => topic.endsWith("/outgoing");
  const unsent = chat.send("bob", { text: "unsent" }, { clientMessageId: "m-1" }).catch(() => undefined);
  await server.edge.until(() => server.edge.published.some(({ topic }) => topic.endsWith("/outgoing")));
  await chat.close();
  await unsent;
  server.edge.loses = () => false;
  await server.send("bob", "alice", { text: "missed" });
  await server.send("carol", "alice", { text: "missed, too" });
  return server;
}

const scope = "tilechat/alice/";
const anything = [null, 5, "a/b", [], {}, { to: "../bob" }, { to: "bob", body: { text: 5 } }];

describe("a record of a damaged or older form", () => {
  test.each(
    ["user", `${scope}device`, `${scope}positions`].flatMap((key) =>
      anything.map((value) => [key, value] as const),
    ),
  )("never keeps a client from opening: %s is %j", async (key, value) => {
    const storage = memoryStorage();
    const server = await leftBehind(storage);
    await storage.put("meta", key, value);

    const chat = await openChat(server, "alice", {
      storage,
      offlineStart: true,
      token: () => server.token("alice"),
    });
    const recorder = new Recorder(chat);
    await chat.flush();
    await recorder.until(() => recorder.all("error").length > 0);

    expect(recorder.all("error")).toMatchObject([
      { error: { code: "internal", message: expect.stringContaining(key) } },
    ]);
    expect(await server.texts("alice", "bob")).toContain("unsent");
    expect(chat.status).toBe("online");
  });

  test.each(anything)("in the outbox is left where it is, and the others go out: %j", async (value) => {
    const storage = memoryStorage();
    const server = await leftBehind(storage);
    await storage.put("outbox", `${scope}m-0`, value);

    const chat = await openChat(server, "alice", { storage });
    const recorder = new Recorder(chat);
    await chat.flush();
    await recorder.until(() => recorder.all("error").length > 0);

    expect(await server.texts("alice", "bob")).toContain("unsent");
    expect(recorder.all("error")).toMatchObject([{ error: { message: expect.stringContaining("m-0") } }]);
    expect(await storage.list("outbox", scope)).toEqual([{ key: `${scope}m-0`, value }]);
  });

  test("in the outbox goes out as long as it has a recipient and a text", async () => {
    const storage = memoryStorage();
    const server = await leftBehind(storage);
    await storage.put("outbox", `${scope}m-0`, {
      to: "bob",
      body: { text: "written by hand" },
      failure: "?",
    });

    const chat = await openChat(server, "alice", { storage });
    await chat.flush();

    expect(await server.texts("alice", "bob")).toContain("written by hand");
    expect(await storage.list("outbox", scope)).toEqual([]);
  });

  test("takes one conversation's position with it, not those of the others", async () => {
    const storage = memoryStorage();
    const server = await leftBehind(storage);
    const key = `${scope}positions`;
    const kept = (await storage.get("meta", key)) as { readonly positions: object };
    await storage.put("meta", key, { ...kept, positions: { ...kept.positions, carol: { seq: -1 } } });

    const chat = await openChat(server, "alice", { storage });
    const recorder = new Recorder(chat);
    await recorder.until(() => recorder.texts("bob").length > 1 && recorder.texts("carol").length > 0);

    expect(
      recorder
        .all("message")
        .map(({ message }) => message.text)
        .sort(),
    ).toEqual(["missed", "missed, too", "unsent"]);
    expect(recorder.all("error")).toHaveLength(1);
  });
});

describe("what was read", () => {
  test.each([
    null,
    5,
    {},
    { epoch: 1, marks: [] },
    { epoch: "e", marks: { bob: 1 } },
    { epoch: "e", marks: [5] },
  ])("and is kept in a damaged record is reported once, and the others go out: %j", async (value) => {
    const storage = memoryStorage();
    const server = await leftBehind(storage);
    const { epoch } = server.disk;
    await storage.put("marks", `${scope}0`, value);
    await storage.put("marks", `${scope}1`, { epoch, marks: [{ conversWith: "bob", read: 2 }, "?"] });

    const chat = await openChat(server, "alice", { storage });
    const recorder = new Recorder(chat);
    await chat.flush();
    await recorder.until(() => recorder.all("error").length === 2);

    expect(recorder.all("error").map(({ error }) => error.message)).toEqual([
      expect.stringContaining(`${scope}0`),
      expect.stringContaining(`${scope}1`),
    ]);
    expect(chat.conversations.get("bob")?.own.read).toBe(2);
    expect(await storage.list("marks", "")).toEqual([]);
  });

  test("before the server was restored from a backup says nothing of the new history", async () => {
    const storage = memoryStorage();
    const server = await openServer();
    for (const text of ["1", "2", "3", "4"]) await server.send("bob", "alice", { text });
    const before = await openChat(server, "alice", { storage });
    server.edge.loses = ({ topic }) => topic.includes("/commands/");
    before.conversation("bob").markRead(1);
    before.conversation("bob").markRead();
    await before.close();
    server.edge.loses = () => false;
    await server.replaceStore(restoredDisk(server.disk, 0.5));

    const after = await openChat(server, "alice", { storage });
    await after.flush();

    expect(after.conversations.get("bob")).toMatchObject({ unread: 2, own: { read: 0 } });
    expect(await server.states("alice")).toMatchObject([{ conversWith: "bob", read: 0, unread: 2 }]);
  });

  test("goes to the server when the client is closed within the pause between two marks", async () => {
    const server = await openServer();
    for (const text of ["1", "2"]) await server.send("bob", "alice", { text });
    const chat = await openChat(server);
    chat.conversation("bob").markRead(1);
    chat.conversation("bob").markRead(2);

    await chat.close();

    await expect.poll(() => server.states("alice"), patient).toMatchObject([{ read: 2, unread: 0 }]);
  });

  test.each([[[1]], [[1, 2]]])("up to %j and then marked as unread stays unread", async (marks) => {
    const server = await openServer();
    await server.send("bob", "alice", { text: "1" });
    if (marks.length > 1) await server.send("bob", "alice", { text: "2" });
    const chat = await openChat(server);
    for (const seq of marks) chat.conversation("bob").markRead(seq);

    await chat.conversation("bob").markUnread();
    await chat.flush();

    await expect.poll(() => chat.conversations.get("bob"), patient).toMatchObject({ markedUnread: true });
    expect((await openChat(server, "alice", { deviceId: "new" })).conversations.get("bob")).toMatchObject({
      unread: 0,
      markedUnread: true,
    });
  });
});

describe("files", () => {
  test("that are damaged are left out, and reported", async () => {
    const path = await folder();
    const server = await leftBehind(fileStorage(path));
    for (const [collection, text] of [
      ["meta", '{"key":'],
      ["outbox", "null"],
    ] as const)
      for (const name of await readdir(join(path, collection)))
        await writeFile(join(path, collection, name), text);
    await fileStorage(path).put("outbox", `${scope}m-2`, { to: "bob", body: { text: "sound" } });

    const chat = await openChat(server, "alice", {
      storage: fileStorage(path),
      offlineStart: true,
      token: () => server.token("alice"),
    });
    const recorder = new Recorder(chat);
    await chat.flush();
    await recorder.until(() => recorder.all("error").length === 4);

    expect(await server.texts("alice", "bob")).toContain("sound");
    expect(await readdir(join(path, "outbox"))).toHaveLength(1);
  });

  test("that are damaged are named", async () => {
    const path = await folder();
    await fileStorage(path).put("meta", "k", 1);
    const [name = ""] = await readdir(join(path, "meta"));
    await writeFile(join(path, "meta", name), "{");

    await expect(fileStorage(path).get("meta", "k")).rejects.toThrow(
      `${join(path, "meta", name)} is damaged`,
    );
  });
});

describe("a storage that fails", () => {
  test("when it is read does not keep the client from opening: everything is reported", async () => {
    const server = await openServer();
    const broken: Storage = {
      ...memoryStorage(),
      get: () => Promise.reject(new Error("disk error")),
      list: () => Promise.reject(new Error("disk error")),
      put: () => Promise.reject(new Error("disk error")),
    };

    const chat = await openChat(server, "alice", { storage: broken, offlineStart: true });
    const recorder = new Recorder(chat);
    await recorder.until(() => recorder.all("error").length >= 5 && chat.status === "online");

    expect(recorder.all("error").map(({ error }) => [error.code, String(error.cause)])).toContainEqual([
      "internal",
      "Error: disk error",
    ]);
  });

  test("fails the send, and leaves nothing behind", async () => {
    const server = await openServer();
    const storage = memoryStorage();
    const full: Storage = {
      ...storage,
      put: (collection, key, value) =>
        collection === "outbox"
          ? Promise.reject(new Error("disk full"))
          : storage.put(collection, key, value),
    };
    const chat = await openChat(server, "alice", { storage: full });

    await expect(chat.send("bob", { text: "hi" })).rejects.toMatchObject({
      code: "internal",
      cause: expect.any(Error),
    });

    expect(chat.outbox.list()).toEqual([]);
    expect(await server.texts("bob", "alice")).toEqual([]);
  });
});
