import { webhookSettingDefaults } from "@chat21/events";
import { createManualClock, createMemoryStore } from "@chat21/testkit";
import { describe, expect, it } from "vitest";
import { createOriginalTakeOver } from "../src/index.ts";

const app = "tilechat";
const message = { message_id: "m1", sender: "ann", recipient: "bob", text: "hi", timestamp: 900 };
const persist = (owner: string, conversWith: string, payload: unknown = message) => ({
  routingKey: `apps.observer.${app}.users.${owner}.messages.${conversWith}.persist`,
  payload: Buffer.from(typeof payload === "string" ? payload : JSON.stringify(payload)),
});
const webhook = (kind: string, payload: unknown) => ({
  routingKey: `observer.webhook.apps.${app}.${kind}`,
  payload: Buffer.from(JSON.stringify(payload)),
});
const online = { presence: "online", user_id: "ann" };

function takeOverWith({ urls = ["http://a.example/"] }: { urls?: readonly string[] } = {}) {
  const store = createMemoryStore();
  const lines: unknown[] = [];
  const takeOver = createOriginalTakeOver({
    store,
    webhooks: { ...webhookSettingDefaults, endpoints: urls.map((url) => ({ url, secrets: [] })) },
    clock: createManualClock(1_000),
    log: {
      info: (fields, text) => void lines.push(["info", fields, text]),
      warn: (fields, text) => void lines.push(["warn", fields, text]),
    },
  });
  return { store, lines, ...takeOver };
}

describe("the taker of an original's queues", () => {
  it("stores a message once, whosever copies there are, and tells how many", async () => {
    const { store, lines, takePersisted, report } = takeOverWith();

    await takePersisted(persist("ann", "bob"));
    await takePersisted(persist("bob", "ann"));
    report();

    const events = await store.events.read({ app, conversation: "ann.bob", limit: 10, from: "oldest" });
    expect(events).toMatchObject([{ messageId: "m1", sender: "ann", body: '{"text":"hi"}' }]);
    expect(lines).toEqual([["info", { appended: 1, known: 1 }, "took over the original's messages"]]);
  });

  it.each([
    ["what is no JSON", persist("ann", "bob", "{"), "malformed: payload"],
    ["another routing key", { ...persist("ann", "bob"), routingKey: "apps.x" }, "malformed: routing key"],
    ["a copy of a stranger", persist("eve", "bob"), "conversation_mismatch"],
    ["what has no sender", persist("ann", "bob", { text: "x" }), "malformed: no sender, or no recipient"],
  ])("refuses %s", async (_, copy, reason) => {
    const { lines, takePersisted, report } = takeOverWith();

    await expect(takePersisted(copy)).rejects.toMatchObject({ code: "bad_request", message: reason });

    report();
    expect(lines).toEqual([]);
  });

  it("records webhooks, and refuses what is none", async () => {
    const { store, lines, takeWebhook, report } = takeOverWith();

    await takeWebhook(webhook("presence", online));
    await expect(takeWebhook(webhook("presence", {}))).rejects.toMatchObject({ code: "bad_request" });
    report();

    expect(await store.webhooks.list({ limit: 10 })).toMatchObject([{ event: "presence-change" }]);
    expect(lines).toEqual([["info", { recorded: 1 }, "took over the original's webhooks"]]);
  });

  it("drops webhooks where nothing is to get them, and warns of how many", async () => {
    const { store, lines, takeWebhook, report } = takeOverWith({ urls: [] });

    await takeWebhook(webhook("presence", online));
    await takeWebhook(webhook("presence", online));
    report();

    expect(await store.webhooks.list({ limit: 10 })).toEqual([]);
    expect(lines).toEqual([
      ["warn", { dropped: 2 }, expect.stringMatching(/^dropped webhooks of the original/)],
    ]);
  });
});
