import type { EventRecord, Fact, InboxCopy } from "@chat21/engine";
import { ChatError, type WebhookEvent } from "@chat21/protocol";
import { createManualClock, createMemoryStore } from "@chat21/testkit";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createWebhookSink } from "../src/index.ts";
import type { WebhookStore } from "../src/webhook-store.ts";

const endpoint = "http://a.example/hook?token=t";

function record(event: Partial<EventRecord>): EventRecord {
  return {
    app: "tilechat",
    conversation: "A.B",
    seq: 1,
    type: "message",
    sender: "A",
    clientMessageId: null,
    messageId: "m-1",
    timestamp: 5,
    committedAt: 5,
    body: "{}",
    tempUid: null,
    hiddenFor: null,
    listed: true,
    overlay: null,
    ...event,
  };
}

const copy = (
  user: string,
  conversWith: string,
  status: number,
  payload = `{"status":${status}}`,
): InboxCopy => ({
  user,
  conversWith,
  status,
  payload,
});

const direct: Fact = {
  kind: "message",
  event: record({}),
  conversationKind: "direct",
  sent: copy("A", "B", 100, '{"text" : "hi","n":1.0,"status":100}'),
  delivered: [copy("B", "A", 150, '{"text" : "hi","n":1.0,"status":150}')],
};

const group: Fact = {
  kind: "message",
  event: record({ conversation: "group-g", sender: "system", messageId: "m-2" }),
  conversationKind: "group",
  sent: copy("group-g", "group-g", 100),
  delivered: [copy("A", "group-g", 150), copy("B", "group-g", 150)],
};

function sinkWith(
  options: { events?: readonly WebhookEvent[]; urls?: readonly string[]; store?: WebhookStore } = {},
) {
  const clock = createManualClock(1_000);
  const store = options.store ?? createMemoryStore().webhooks;
  let woken = 0;
  const sink = createWebhookSink({
    endpoints: (options.urls ?? [endpoint]).map((url) => ({ url })),
    store,
    clock,
    onEnqueued: () => {
      woken += 1;
    },
    ...(options.events === undefined ? {} : { events: options.events }),
  });
  const rows = async () => [...(await store.list({ limit: 100_000 }))].reverse();
  return { sink, store, clock, rows, woken: () => woken };
}

describe("Bodies", () => {
  test("A direct message is sent once and delivered to the other, its JSON text untouched", async () => {
    const { sink, rows } = sinkWith();

    await sink.accept([direct]);

    expect((await rows()).map(({ body }) => body)).toEqual([
      '{"event_type":"message-sent","createdAt":1000,"recipient_id":"B","app_id":"tilechat","message_id":"m-1",' +
        '"data":{"text" : "hi","n":1.0,"status":100},' +
        '"extras":{"topic":"apps.tilechat.users.A.messages.B.clientadded"},"delivered_to":"A"}',
      '{"event_type":"message-delivered","createdAt":1000,"recipient_id":"B","app_id":"tilechat","message_id":"m-1",' +
        '"data":{"text" : "hi","n":1.0,"status":150},' +
        '"extras":{"topic":"apps.tilechat.users.B.messages.A.clientadded"},"delivered_to":"B"}',
    ]);
  });

  test("The sender's own copy among the delivered ones is not announced again", async () => {
    const { sink, rows } = sinkWith();

    await sink.accept([{ ...direct, delivered: [direct.sent, ...direct.delivered] }]);

    expect((await rows()).map(({ event }) => event)).toEqual(["message-sent", "message-delivered"]);
  });

  test("A group message of somebody who is no member is sent once, for the group, and delivered to each member", async () => {
    const { sink, rows } = sinkWith();

    await sink.accept([group]);

    const bodies = (await rows()).map(({ body }) => JSON.parse(body));
    expect(bodies.map((body) => [body.event_type, body.delivered_to, body.recipient_id])).toEqual([
      ["message-sent", "group-g", "group-g"],
      ["message-delivered", "A", "group-g"],
      ["message-delivered", "B", "group-g"],
    ]);
    expect(bodies.map((body) => body.extras.topic)).toEqual([
      "apps.tilechat.users.group-g.messages.group-g.clientadded",
      "apps.tilechat.users.A.messages.group-g.clientadded",
      "apps.tilechat.users.B.messages.group-g.clientadded",
    ]);
  });

  test("A note to self is sent and delivered to the same inbox", async () => {
    const { sink, rows } = sinkWith();

    await sink.accept([
      {
        ...direct,
        event: record({ conversation: "A.A" }),
        sent: copy("A", "A", 100),
        delivered: [copy("A", "A", 150)],
      },
    ]);

    const bodies = (await rows()).map(({ body }) => JSON.parse(body));
    expect(
      bodies.map((body) => [body.event_type, body.delivered_to, body.recipient_id, body.data.status]),
    ).toEqual([
      ["message-sent", "A", "A", 100],
      ["message-delivered", "A", "A", 150],
    ]);
  });

  test("History is delivered and never sent", async () => {
    const { sink, rows } = sinkWith();

    await sink.accept([
      {
        kind: "history",
        event: record({ conversation: "group-g", messageId: "m-2" }),
        delivered: copy("C", "group-g", 150, '{"text":"old","__history":"true","status":150}'),
      },
    ]);

    expect((await rows()).map(({ body }) => JSON.parse(body))).toEqual([
      {
        event_type: "message-delivered",
        createdAt: 1000,
        recipient_id: "group-g",
        app_id: "tilechat",
        message_id: "m-2",
        data: { text: "old", __history: "true", status: 150 },
        extras: { topic: "apps.tilechat.users.C.messages.group-g.clientadded" },
        delivered_to: "C",
      },
    ]);
  });

  test("A receipt is told from the receiver's side, then from the writer's", async () => {
    const { sink, rows } = sinkWith();

    await sink.accept([
      {
        kind: "receipt",
        app: "tilechat",
        conversation: "A.B",
        user: "B",
        conversWith: "A",
        messageId: "T-1",
        at: 7,
      },
    ]);

    expect((await rows()).map(({ body }) => body)).toEqual([
      '{"event_type":"message-received","createdAt":1000,"recipient_id":"B","app_id":"tilechat","message_id":"T-1",' +
        '"data":{"timelineOf":"B","message_id":"T-1","status":200},' +
        '"extras":{"topic":"apps.tilechat.users.B.messages.A.T-1.clientupdated"},"delivered_to":"B"}',
      '{"event_type":"message-return-receipt","createdAt":1000,"recipient_id":"B","app_id":"tilechat",' +
        '"message_id":"T-1","data":{"timelineOf":"A","message_id":"T-1","status":250},' +
        '"extras":{"topic":"apps.tilechat.users.A.messages.B.T-1.clientupdated"},"delivered_to":"A"}',
    ]);
  });

  test("Archiving and un-archiving carry the conversation", async () => {
    const { sink, rows } = sinkWith();
    const fact = {
      app: "tilechat",
      conversation: "support-group-g",
      user: "system",
      conversWith: "support-group-g",
      document: '{"key":"support-group-g","attributes":{"a":1}}',
    };

    await sink.accept([
      { kind: "archived", ...fact, at: 7 },
      { kind: "unarchived", ...fact, at: 8 },
    ]);

    expect((await rows()).map(({ body }) => body)).toEqual([
      '{"event_type":"conversation-archived","createdAt":1000,"app_id":"tilechat","user_id":"system",' +
        '"recipient_id":"support-group-g","convers_with":"support-group-g",' +
        '"data":{"key":"support-group-g","attributes":{"a":1}},' +
        '"extras":{"topic":"apps.tilechat.users.system.conversations.support-group-g.archive"}}',
      '{"event_type":"conversation-unarchived","createdAt":1000,"app_id":"tilechat","user_id":"system",' +
        '"recipient_id":"support-group-g","convers_with":"support-group-g",' +
        '"data":{"key":"support-group-g","attributes":{"a":1}},' +
        '"extras":{"topic":"apps.tilechat.users.system.archived_conversations.support-group-g.clientdeleted"}}',
    ]);
  });

  test("Presence says who, and nothing of the client", async () => {
    const { sink, rows } = sinkWith();

    await sink.accept([{ kind: "presence", app: "tilechat", user: "A", presence: "offline", at: 7 }]);

    expect((await rows()).map(({ body }) => body)).toEqual([
      '{"event_type":"presence-change","presence":"offline","createdAt":1000,"app_id":"tilechat","user_id":"A",' +
        '"data":true}',
    ]);
  });

  test("Ids of the whole alphabet keep every body well-formed", async () => {
    const id = fc.stringMatching(/^[A-Za-z0-9_\-@:=~!,;()&'][A-Za-z0-9_\-@:=~!,;()$&']{0,20}$/);
    await fc.assert(
      fc.asyncProperty(id, id, id, fc.json(), async (app, user, other, payload) => {
        const { sink, rows } = sinkWith();

        await sink.accept([
          {
            ...direct,
            event: record({
              app,
              sender: user,
              conversation: user <= other ? `${user}.${other}` : `${other}.${user}`,
            }),
            sent: copy(user, other, 100, payload),
            delivered: [],
          },
        ]);

        const [row] = await rows();
        const body = JSON.parse(row?.body ?? "");
        expect(body).toMatchObject({ app_id: app, recipient_id: other, delivered_to: user });
        expect(body.data).toEqual(JSON.parse(payload));
        expect(row?.body).toContain(`"data":${payload},"extras"`);
      }),
    );
  });
});

describe("Rows", () => {
  const facts: readonly Fact[] = [
    direct,
    group,
    { kind: "history", event: record({}), delivered: copy("B", "A", 150) },
    {
      kind: "receipt",
      app: "tilechat",
      conversation: "A.B",
      user: "B",
      conversWith: "A",
      messageId: "m-1",
      at: 7,
    },
    {
      kind: "archived",
      app: "tilechat",
      conversation: "A.B",
      user: "A",
      conversWith: "B",
      document: "{}",
      at: 7,
    },
    {
      kind: "unarchived",
      app: "tilechat",
      conversation: "A.B",
      user: "A",
      conversWith: "B",
      document: "{}",
      at: 7,
    },
    { kind: "presence", app: "tilechat", user: "A", presence: "online", at: 7 },
  ];

  test("The same facts again, later and from another sink, add nothing", async () => {
    const { sink, rows, store, clock } = sinkWith();
    await sink.accept(facts);
    const before = await rows();

    await clock.advance(5_000);
    await sink.accept(facts);
    await sinkWith({ store }).sink.accept([...facts].reverse());

    expect(await rows()).toEqual(before);
    expect(before).toHaveLength(10);
  });

  test("What happens again later is another event", async () => {
    const { sink, rows } = sinkWith();
    const [, , , receipt, archived, unarchived, presence] = facts;
    const again = [receipt, archived, unarchived, presence].map((fact) => ({ ...fact, at: 99 }) as Fact);

    await sink.accept(facts);
    await sink.accept(again);

    expect(await rows()).toHaveLength(10 + 4);
  });

  test("Every endpoint gets its own row, with its own id and the same body", async () => {
    const { sink, rows } = sinkWith({ urls: ["http://a.example/", "http://b.example/?x=1"] });

    await sink.accept([direct]);

    const all = await rows();
    expect(all.map((row) => row.endpoint)).toEqual([
      "http://a.example/",
      "http://b.example/?x=1",
      "http://a.example/",
      "http://b.example/?x=1",
    ]);
    expect(new Set(all.map((row) => row.id)).size).toBe(4);
    expect(all[0]?.body).toBe(all[1]?.body);
    // `.` would blur what the signature covers.
    expect(all.every(({ id }) => /^evt_[\w-]{32}$/.test(id))).toBe(true);
  });

  test("Rows of one conversation share an order, other conversations, apps and presence do not", async () => {
    const { sink, rows } = sinkWith();

    await sink.accept(facts);
    await sink.accept([{ ...direct, event: record({ app: "other", messageId: "m-9" }) }]);

    const keys = new Map((await rows()).map((row) => [`${row.event} ${row.app}`, row.orderKey]));
    expect(keys.get("message-sent tilechat")).toBe("tilechat/group-g");
    expect(keys.get("message-received tilechat")).toBe("tilechat/A.B");
    expect(keys.get("conversation-unarchived tilechat")).toBe("tilechat/A.B");
    expect(keys.get("presence-change tilechat")).toBe("tilechat/presence/A");
    expect(keys.get("message-sent other")).toBe("other/A.B");
  });

  test("Archives of direct conversations are left out unless the filter names them: backends refuse them", async () => {
    const archives = facts.filter(({ kind }) => kind === "archived");
    const byDefault = sinkWith();
    const named = sinkWith({ events: ["conversation-archived"] });

    for (const { sink } of [byDefault, named]) await sink.accept(archives);

    expect(archives).toHaveLength(1);
    expect(await byDefault.rows()).toEqual([]);
    expect((await named.rows()).map(({ event }) => event)).toEqual(["conversation-archived"]);
  });

  test("The filter keeps what it names, and presence in any case", async () => {
    const { sink, rows } = sinkWith({ events: ["message-sent", "conversation-archived"] });

    await sink.accept(facts);

    expect((await rows()).map(({ event }) => event)).toEqual([
      "message-sent",
      "message-sent",
      "conversation-archived",
      "presence-change",
    ]);
  });

  test("Calls that overlap keep their order", async () => {
    const { sink, rows } = sinkWith({ events: ["message-sent"] });
    const messages = Array.from({ length: 50 }, (_, index) => ({
      ...direct,
      event: record({ messageId: `m-${index}` }),
    }));

    await Promise.all(messages.map((fact) => sink.accept([fact])));

    expect((await rows()).map(({ body }) => JSON.parse(body).message_id)).toEqual(
      messages.map(({ event }) => event.messageId),
    );
  });

  test("A message to a large group is written in bounded pieces, in order", async () => {
    const memory = createMemoryStore().webhooks;
    const writes: number[] = [];
    const store: WebhookStore = {
      ...memory,
      enqueue: (deliveries) => {
        writes.push(deliveries.length);
        return memory.enqueue(deliveries);
      },
    };
    const { sink, rows } = sinkWith({ store });
    const members = Array.from({ length: 1_200 }, (_, index) => copy(`user-${index}`, "group-g", 150));

    await sink.accept([{ ...group, delivered: members }]);

    expect(Math.max(...writes)).toBeLessThanOrEqual(500);
    const inboxes = (await rows()).map(({ body }) => JSON.parse(body).delivered_to);
    expect(inboxes).toEqual(["group-g", ...members.map(({ user }) => user)]);
  });

  test("A store that fails fails the calls that shared the write, and the next call works", async () => {
    let broken = true;
    const memory = createMemoryStore({
      gate: async (point) => {
        if (broken && point === "webhooks.enqueue:before") throw new ChatError("store_unavailable");
      },
    }).webhooks;
    const { sink, rows, woken } = sinkWith({ store: memory });

    await expect(sink.accept([direct])).rejects.toMatchObject({ code: "store_unavailable" });
    expect(woken()).toBe(0);

    broken = false;
    await sink.accept([direct]);
    expect(await rows()).toHaveLength(2);
    expect(woken()).toBe(1);
  });
});
