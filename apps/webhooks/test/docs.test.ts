import { readFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import type { EventRecord, Fact, InboxCopy } from "@chat21/engine";
import { createWebhookSink, generateWebhookSecret } from "@chat21/events";
import { webhookEvents } from "@chat21/protocol";
import { createManualClock, createMemoryStore } from "@chat21/testkit";
import { Webhook } from "standardwebhooks";
import { expect, test } from "vitest";
import { secret, startWorld } from "./world.ts";

const page = readFileSync(new URL("../../../docs/webhooks.md", import.meta.url), "utf8");
const examples = new Map(
  [...page.matchAll(/```json\n([\s\S]*?)```/g)].map((match) => {
    const example = JSON.parse(match[1] ?? "");
    return [example.event_type as string, example];
  }),
);

/** The fact that an example speaks of, with the example's own documents. */
function factOf(name: string): Fact {
  const { data, ...example } = examples.get(name);
  const { app_id: app, user_id: user, convers_with: conversWith } = example;
  const conversation = name.startsWith("conversation") ? conversWith : "alice.bob";
  switch (name) {
    case "message-sent":
    case "message-delivered": {
      const copy: InboxCopy = {
        user: example.delivered_to,
        conversWith: example.recipient_id,
        status: data.status,
        payload: JSON.stringify(data),
      };
      const event = {
        app,
        conversation: name === "message-sent" ? conversation : example.recipient_id,
        sender: data.sender,
        messageId: data.message_id,
      } as EventRecord;
      return { kind: "message", event, conversationKind: "direct", sent: copy, delivered: [copy] };
    }
    case "message-received":
    case "message-return-receipt":
      return {
        kind: "receipt",
        ...{ app, conversation, user: "bob", conversWith: "alice" },
        ...{ messageId: example.message_id, at: 1 },
      };
    case "conversation-archived":
    case "conversation-unarchived": {
      const kind = name === "conversation-archived" ? "archived" : "unarchived";
      return { kind, app, conversation, user, conversWith, document: JSON.stringify(data), at: 1 };
    }
    case "message-deleted": {
      const event = { app, conversation, sender: user, seq: example.seq, messageId: "m" } as EventRecord;
      return { kind: "event", name, event, data: JSON.stringify(data) };
    }
    default:
      return { kind: "presence", app, user, presence: example.presence, at: 1 };
  }
}

test("The page has an example of every event", () => {
  expect([...examples.keys()].sort()).toEqual([...webhookEvents].sort());
});

test.each(webhookEvents)("The example of %s is what is sent", async (name) => {
  const example = examples.get(name);
  const store = createMemoryStore().webhooks;
  const clock = createManualClock(example.createdAt);
  const endpoints = [{ url: "http://a.example/" }];
  const sink = createWebhookSink({ endpoints, events: webhookEvents, store, clock });

  await sink.accept([factOf(name)]);

  const rows = await store.list({ event: name, limit: 10 });
  expect(rows.map(({ body }) => JSON.parse(body))).toEqual([example]);
  expect(Object.keys(JSON.parse(rows[0]?.body ?? "{}"))).toEqual(Object.keys(example));
});

/** The page's receiver, without its imports and its port. */
function exampleReceiver(expectedSecret: string, print: (...words: unknown[]) => void): RequestListener {
  const code = /```js\n([\s\S]*?)```/.exec(page)?.[1]?.replace(/^import .*$/gm, "") ?? "";
  let handler: RequestListener | undefined;
  const capture = (given: RequestListener) => {
    handler = given;
    return { listen() {} };
  };
  const run = new Function("createServer", "Webhook", "process", "console", code);
  run(capture, Webhook, { env: { CHAT21_WEBHOOK_SECRET: expectedSecret } }, { log: print });
  if (handler === undefined) throw new Error("the page has no receiver");
  return handler;
}

test("The receiver of the page takes what is signed, once, and refuses everything else", async () => {
  const printed: unknown[][] = [];
  const server = createServer(exampleReceiver(secret, (...words) => printed.push(words)));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const urls = ["right", "wrong"].map((path) => `http://127.0.0.1:${port}/${path}`);
  const secrets = [secret, generateWebhookSecret()];
  const world = startWorld({
    endpoints: urls.map((url, index) => ({ url, secrets: [secrets[index] ?? ""] })),
  });
  const body = JSON.stringify({ event_type: "message-sent", message_id: "m-1" });

  await world.enqueue(urls.map((endpoint) => ({ endpoint, body })));
  await world.untilState("event-1", "delivered");
  await world.until(async () => (await world.row("event-2")).attempts === 1);
  await world.store.replay({ ids: ["event-1"] }, world.clock.now());
  await world.until(async () => (await world.row("event-1")).state === "delivered");
  server.close();

  expect(printed).toEqual([["message-sent", "m-1"]]);
  expect((await world.row("event-1")).lastStatus).toBe(204);
  expect((await world.row("event-2")).lastStatus).toBe(401);
});
