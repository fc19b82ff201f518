import type { Store } from "@chat21/engine";
import { createMemoryDisk, createMemoryStore } from "@chat21/testkit";
import { describe, expect, it } from "vitest";
import { importOriginalConversations } from "../src/conversations/import-conversations.ts";
import { takeOriginalMessage } from "../src/queues/take-message.ts";
import { takePersistedMessage } from "../src/queues/take-persisted.ts";
import { copyOf, now, sourceOf } from "./copies.ts";

const app = "tilechat";
const clock = { now: () => now };
const direct = { message_id: "m1", sender: "a", recipient: "b", timestamp: 1_000, text: "hi" };
const inGroup = { ...direct, recipient: "group-g", channel_type: "group" };

const take = (store: Store, copy: object) =>
  takeOriginalMessage(store, JSON.parse(JSON.stringify(copy)), clock);
const eventsOf = (store: Store, conversation: string) =>
  store.events.read({ app, conversation, limit: 1_000, from: "oldest" });

async function membersOf(store: Store, conversation: string) {
  const [record] = await store.conversations.load([{ app, conversation }]);
  return Object.fromEntries((record?.members ?? []).map(({ user, intervals }) => [user, intervals]));
}

describe("takeOriginalMessage", () => {
  it("appends a message once, whichever of its copies comes first", async () => {
    const store = createMemoryStore();

    const answers = [
      await take(store, copyOf(direct, "b")),
      await take(store, copyOf(direct, "a", 100)),
      await take(store, copyOf(direct, "b")),
    ];

    expect(answers).toEqual([
      { status: "appended", conversation: "a.b", seq: 1 },
      { status: "known", conversation: "a.b", seq: 1 },
      { status: "known", conversation: "a.b", seq: 1 },
    ]);
    expect(await eventsOf(store, "a.b")).toMatchObject([{ messageId: "m1", body: '{"text":"hi"}' }]);
    expect(await membersOf(store, "a.b")).toEqual({ a: [[1, null]], b: [[1, null]] });
  });

  it("appends at the head of what was imported, and knows what was", async () => {
    const store = createMemoryStore();
    const imported = [
      copyOf({ ...direct, timestamp: 9_000 }, "a"),
      copyOf({ ...direct, timestamp: 9_000 }, "b"),
    ];
    await importOriginalConversations({ store, source: sourceOf({ copies: imported }), clock });

    const known = await take(store, imported[0] as object);
    const late = await take(store, copyOf({ ...direct, message_id: "m2" }, "b"));

    expect(known).toMatchObject({ status: "known", seq: 1 });
    expect(late).toMatchObject({ status: "appended", seq: 2 });
    expect((await eventsOf(store, "a.b")).map(({ timestamp }) => timestamp)).toEqual([9_000, 9_001]);
  });

  it("gives ids of identity providers their form on the wire, and keeps what the sender wrote", async () => {
    const store = createMemoryStore();
    const message = {
      ...direct,
      sender: "auth0|5f7c",
      recipient: "john.doe@example.com",
      text: "auth0|5f7c",
    };

    await take(store, copyOf(message, "auth0|5f7c"));
    await take(store, copyOf(message, "john.doe@example.com"));
    await take(
      store,
      copyOf(
        { ...inGroup, message_id: "m2", sender: "auth0|5f7c", group: { members: { "+39": 1 } } },
        "auth0|5f7c",
      ),
    );

    const conversation = "auth0^7C5f7c.john^2Edoe@example^2Ecom";
    expect(await eventsOf(store, conversation)).toMatchObject([
      { sender: "auth0^7C5f7c", body: '{"text":"auth0|5f7c"}' },
    ]);
    expect(Object.keys(await membersOf(store, conversation)).sort()).toEqual(conversation.split("."));
    expect(Object.keys(await membersOf(store, "group-g")).sort()).toEqual(["^2B39", "auth0^7C5f7c"]);
  });

  it("leaves nothing to be dispatched, also after a crash between its two writes", async () => {
    const disk = createMemoryDisk("epoch");
    let commits = 0;
    const gate = async (point: string) => {
      if (point === "events.commit:after") commits += 1;
      if (commits === 1) throw new Error("the process is gone");
    };
    await take(createMemoryStore({ disk, gate }), copyOf(direct, "a")).catch(() => {});
    const store = createMemoryStore({ disk });
    const left = await store.events.undispatched(10, now + 1);

    const again = await take(store, copyOf(direct, "a"));

    expect(left).toHaveLength(1);
    expect(again.status).toBe("known");
    expect(await store.events.undispatched(10, now + 1)).toEqual([]);
  });

  it("shows a message of a group that nobody created to its sender and to whom it names", async () => {
    const store = createMemoryStore();
    const group = { uid: "group-g", members: { b: 1, a: 1, "group-g": 1 } };

    await take(store, copyOf({ ...inGroup, group }, "a"));
    await take(store, copyOf({ ...inGroup, message_id: "m2" }, "group-g"));

    expect(await membersOf(store, "group-g")).toEqual({ a: [[1, null]], b: [[1, 1]] });
  });

  it("leaves the members of a group as they are", async () => {
    const store = createMemoryStore();
    const record = { name: "G", owner: "a", createdOn: 1, updatedOn: 1, attributes: null };
    const source = sourceOf({ copies: [], groups: { "group-g": { record, members: ["a", "c"] } } });
    await importOriginalConversations({ store, source, clock });

    await take(store, copyOf(inGroup, "c"));

    expect(Object.keys(await membersOf(store, "group-g"))).toEqual(["a", "c"]);
    expect(await eventsOf(store, "group-g")).toHaveLength(2);
  });

  it("is one event however many copies are taken at the same time", async () => {
    const store = createMemoryStore();
    const copies = ["a", "b", "a", "b"].map((owner) => copyOf(direct, owner));

    const answers = await Promise.all(copies.map((copy) => take(store, copy)));

    expect(answers.map((answer) => "seq" in answer && answer.seq)).toEqual([1, 1, 1, 1]);
    expect(await eventsOf(store, "a.b")).toHaveLength(1);
  });

  it.each([
    ["a receipt of nobody's message", { timelineOf: "a", message_id: "x", status: 200 }, { status: "stub" }],
    [
      "a group's id that could be a user's",
      copyOf({ ...direct, recipient: "team", channel_type: "group" }, "a"),
      { status: "refused", reason: "group_id_like_a_users", detail: "team" },
    ],
    [
      "an id that no broker carries",
      copyOf({ ...direct, recipient: "auth0^7C5f7c" }, "a"),
      { status: "refused", reason: "invalid_id", detail: "recipient" },
    ],
    [
      "a body that nobody could send",
      copyOf({ ...direct, group: 7 } as never, "a"),
      { status: "refused", reason: "malformed" },
    ],
  ])("takes over no %s", async (_, copy, answer) => {
    expect(await take(createMemoryStore(), copy)).toMatchObject(answer);
  });
});

describe("takePersistedMessage", () => {
  const routingKey = "apps.observer.tilechat.users.b.messages.a.persist";
  const bytes = (value: unknown) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value));

  it("takes owner and counterpart from the routing key", async () => {
    const store = createMemoryStore();
    const payload = bytes({ ...direct, app_id: "tilechat", status: 150 });

    const first = await takePersistedMessage(store, { routingKey, payload }, clock);
    const again = await takePersistedMessage(store, { routingKey, payload }, clock);

    expect(first).toEqual({ status: "appended", conversation: "a.b", seq: 1 });
    expect(again.status).toBe("known");
    expect(await eventsOf(store, "a.b")).toMatchObject([
      { messageId: "m1", sender: "a", body: '{"text":"hi"}' },
    ]);
  });

  it.each([
    ["a key of something else", "apps.tilechat.users.a.messages.b.clientadded", "{}", "routing key"],
    ["what is not JSON", routingKey, "{", "payload"],
    ["what is no object", routingKey, "[1]", "payload"],
  ])("refuses %s", async (_, key, payload, detail) => {
    const answer = await takePersistedMessage(
      createMemoryStore(),
      { routingKey: key, payload: bytes(payload) },
      clock,
    );

    expect(answer).toEqual({ status: "refused", reason: "malformed", detail });
  });
});
