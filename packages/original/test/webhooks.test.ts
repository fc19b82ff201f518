import { webhookSettingDefaults } from "@chat21/events";
import { createManualClock, createMemoryStore } from "@chat21/testkit";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { originalWebhookEvent } from "../src/queues/webhook-event.ts";
import { createOriginalWebhookRecorder } from "../src/queues/webhook-recorder.ts";

const endpoint = "http://a.example/hook";
const key = (kind: string, app = "tilechat") => `observer.webhook.apps.${app}.${kind}`;
const bytes = (value: unknown) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value));

const message = {
  message_id: "m1",
  sender: "ann",
  recipient: "bob",
  text: "hi",
  status: 100,
  app_id: "tilechat",
};
const sent = {
  ...message,
  temp_field_chat_topic: "apps.tilechat.users.ann.messages.bob.clientadded",
  temp_webhook_endpoints: ["http://old.example/"],
};

const bodyOf = (kind: string, payload: unknown) => {
  const draft = originalWebhookEvent({ routingKey: key(kind), payload: bytes(payload) });
  return draft && { orderKey: draft.orderKey, ...JSON.parse(draft.body(7)) };
};

function recorderWith(
  settings: Partial<Parameters<typeof createOriginalWebhookRecorder>[0]["settings"]> = {},
) {
  const store = createMemoryStore().webhooks;
  const record = createOriginalWebhookRecorder({
    settings: { ...webhookSettingDefaults, endpoints: [{ url: endpoint, secrets: [] }], ...settings },
    store,
    clock: createManualClock(1_000),
  });
  return {
    record: (kind: string, payload: unknown) => record({ routingKey: key(kind), payload: bytes(payload) }),
    rows: async () => (await store.list({ limit: 100 })).toReversed(),
  };
}

describe("an original's webhook", () => {
  test("of a sent message says what the original would have sent, without the queue's own keys", () => {
    expect(bodyOf("message_deliver", sent)).toEqual({
      orderKey: "tilechat/ann.bob",
      event_type: "message-sent",
      createdAt: 7,
      recipient_id: "bob",
      app_id: "tilechat",
      message_id: "m1",
      data: message,
      extras: { topic: "apps.tilechat.users.ann.messages.bob.clientadded" },
      delivered_to: "ann",
    });
  });

  test("of a delivered copy is in the order of its conversation", () => {
    const direct = {
      ...sent,
      status: 150,
      temp_field_chat_topic: "apps.tilechat.users.bob.messages.ann.clientadded",
    };
    const grouped = {
      ...sent,
      status: 150,
      recipient: "g7",
      channel_type: "group",
      temp_field_chat_topic: "apps.tilechat.users.bob.messages.g7.clientadded",
    };

    expect(bodyOf("message_deliver", direct)).toMatchObject({
      ...{ orderKey: "tilechat/ann.bob", event_type: "message-delivered", delivered_to: "bob" },
    });
    expect(bodyOf("message_deliver", grouped)).toMatchObject({
      ...{ orderKey: "tilechat/g7", event_type: "message-delivered", recipient_id: "g7" },
    });
  });

  test("of a receipt names only what the queue does", () => {
    const receipt = { timelineOf: "ann", message_id: "m1", status: 250 };

    expect(bodyOf("message_update", receipt)).toEqual({
      orderKey: "tilechat/receipt/m1",
      ...{ event_type: "message-return-receipt", createdAt: 7, app_id: "tilechat", message_id: "m1" },
      ...{ data: receipt, delivered_to: "ann", extras: {} },
    });
  });

  test("of an archived conversation says whose, and which", () => {
    const topic = "apps.tilechat.users.system.conversations.support-group-1.archive";
    const patch = { timelineOf: "system", conversWith: "support-group-1", archived: true };

    expect(bodyOf("conversation_archived", { ...patch, temp_field_chat_topic: topic })).toEqual({
      orderKey: "tilechat/support-group-1",
      ...{ event_type: "conversation-archived", createdAt: 7, app_id: "tilechat", user_id: "system" },
      ...{ recipient_id: "support-group-1", convers_with: "support-group-1", data: patch, extras: { topic } },
    });
  });

  test("of presence keeps the time at which somebody came or went", () => {
    const presence = {
      ...{ event_type: "presence-change", presence: "online", createdAt: 5, app_id: "tilechat" },
      ...{ user_id: "ann", data: true },
    };

    expect(bodyOf("presence", { ...presence, temp_webhook_endpoints: null })).toEqual({
      orderKey: "tilechat/presence/ann",
      ...presence,
    });
  });

  test.each([
    ["another key", key("message_seen"), bytes(sent)],
    ["no JSON", key("message_deliver"), bytes("{")],
    ["no UTF-8", key("presence"), Buffer.from([0xff])],
    ["no object", key("message_deliver"), bytes("[]")],
    ["no topic", key("message_deliver"), bytes(message)],
    ["a topic of another app", key("message_deliver", "other"), bytes(sent)],
    ["no message id", key("message_deliver"), bytes({ ...sent, message_id: undefined })],
    ["a receipt of nothing", key("message_update"), bytes({ status: 250 })],
    ["a presence that is none", key("presence"), bytes({ user_id: "ann", presence: "away" })],
    ["more than a row may hold", key("message_deliver"), bytes({ ...sent, text: "x".repeat(1_024 * 1_024) })],
    [
      "nesting without an end",
      key("message_deliver"),
      bytes(`${JSON.stringify(sent).slice(0, -1)},"x":${"[".repeat(9e4)}${"]".repeat(9e4)}}`),
    ],
  ])("is none with %s", (_, routingKey, payload) => {
    expect(originalWebhookEvent({ routingKey, payload })).toBeNull();
  });

  test("is read, or refused, whatever lies in the queue", () => {
    const kinds = fc.constantFrom("message_deliver", "message_update", "conversation_archived", "presence");
    const value = fc.oneof(
      fc.jsonValue(),
      fc.record({ temp_field_chat_topic: fc.string() }),
      fc.constant(sent),
    );
    fc.assert(
      fc.property(kinds, value, fc.dictionary(fc.string(), fc.jsonValue()), (kind, base, more) => {
        const payload = typeof base === "object" && !Array.isArray(base) ? { ...base, ...more } : base;
        const draft = originalWebhookEvent({
          routingKey: key(kind),
          payload: bytes(JSON.stringify(payload)),
        });

        expect(draft === null || JSON.parse(draft.body(1)).app_id === "tilechat").toBe(true);
      }),
    );
  });
});

describe("what records an original's webhooks", () => {
  test("makes a row for each endpoint, once, in the queue's order", async () => {
    const urls = [endpoint, "http://b.example/"];
    const { record, rows } = recorderWith({ endpoints: urls.map((url) => ({ url, secrets: [] })) });
    const receipt = { timelineOf: "ann", message_id: "m1", status: 250 };

    const outcomes = [
      await record("message_deliver", sent),
      await record("message_update", receipt),
      await record("message_deliver", sent),
    ];

    expect(outcomes).toEqual(["recorded", "recorded", "recorded"]);
    expect((await rows()).map((row) => [row.event, row.endpoint])).toEqual([
      ["message-sent", urls[0]],
      ["message-sent", urls[1]],
      ["message-return-receipt", urls[0]],
      ["message-return-receipt", urls[1]],
    ]);
    expect(new Set((await rows()).map(({ id }) => id)).size).toBe(4);
  });

  test.each([
    ["off", { enabled: false }],
    ["without endpoints", { endpoints: [] }],
    ["of other events", { events: ["message-delivered"] as const }],
  ])("wants none where webhooks are %s", async (_, settings) => {
    const { record, rows } = recorderWith(settings);

    expect(await record("message_deliver", sent)).toBe("unwanted");
    expect(await rows()).toEqual([]);
  });

  test("refuses what no original has put there", async () => {
    const { record, rows } = recorderWith();

    expect(await record("message_deliver", "{")).toBe("refused");
    expect(await rows()).toEqual([]);
  });
});
