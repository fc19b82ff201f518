import { connectMongoStore, type MongoStore } from "@chat21/store-mongo";
import { requireMongo } from "@chat21/testkit/services";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createObserver, loadObserverConfig, type Observer } from "../../src/index.ts";
import { OriginalBroker, originalQueues } from "./original-broker.ts";

const app = "tilechat";
const endpoint = "http://hooks.example/chat21";
const time = Date.now() - 60_000;

const direct = {
  ...{ message_id: "direct-1", sender: "ann", recipient: "bob", app_id: app, type: "text" },
  ...{ text: "to bob", channel_type: "direct", timestamp: time },
};
const grouped = {
  ...{ message_id: "group-1", sender: "ann", recipient: "group-team", app_id: app, type: "text" },
  ...{ text: "to all", channel_type: "group", timestamp: time + 1 },
};
const second = { ...direct, message_id: "direct-2", text: "and again", timestamp: time + 2 };

const persistKey = (owner: string, conversWith: string) =>
  `apps.observer.${app}.users.${owner}.messages.${conversWith}.persist`;
const webhookKey = (kind: string) => `observer.webhook.apps.${app}.${kind}`;

interface LogLine {
  readonly level: number;
  readonly msg: string;
}

let broker: OriginalBroker;
let store: MongoStore;
let mongoUri: string;
let observer: Observer | undefined;

/** What an original that was killed had accepted and not finished. */
async function leave(to: OriginalBroker): Promise<void> {
  await to.publish(persistKey("ann", "bob"), { ...direct, status: 100 });
  await to.publish(persistKey("bob", "ann"), { ...direct, status: 150 });
  for (const [owner, status] of [
    ["ann", 150],
    ["bob", 150],
    ["group-team", 100],
  ] as const) {
    await to.publish(persistKey(owner, "group-team"), { ...grouped, status });
  }
  await to.publish(persistKey("ann", "bob"), { ...second, status: 100 });
  await to.publish(persistKey("bob", "ann"), { ...second, status: 150 });
  await to.publish(persistKey("bob", "ann"), { ...direct, status: 150 });
  await to.publish(persistKey("bob", "ann"), "{torn");
  const topic = (owner: string, other: string) => `apps.${app}.users.${owner}.messages.${other}.clientadded`;
  const copies = [
    { ...direct, status: 100, temp_field_chat_topic: topic("ann", "bob") },
    { ...direct, status: 150, temp_field_chat_topic: topic("bob", "ann") },
    { ...direct, status: 150, temp_field_chat_topic: topic("bob", "ann") },
  ];
  for (const copy of copies) {
    await to.publish(webhookKey("message_deliver"), { ...copy, temp_webhook_endpoints: ["http://old/"] });
  }
  await to.publish(webhookKey("message_update"), { timelineOf: "ann", message_id: "direct-1", status: 250 });
  await to.publish(webhookKey("presence"), { presence: "online", user_id: "bob", createdAt: time });
  await to.publish(webhookKey("presence"), "no JSON");
  await to.publish(`apps.${app}.outgoing.users.bob.messages.ann.outgoing`, { text: "not handled yet" });
}

async function start(): Promise<LogLine[]> {
  const lines: LogLine[] = [];
  const log = pino({ level: "info" }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  const { config } = loadObserverConfig({
    ...{ RABBITMQ_URI: broker.uri, MONGODB_URI: mongoUri, WEBHOOK_ENDPOINTS: endpoint },
    ...{ CHAT21_HOST: "127.0.0.1", METRICS_PORT: "0" },
  });
  observer = await createObserver(config, log);
  return lines;
}

async function history(conversation: string): Promise<string[]> {
  const events = await store.events.read({ app, conversation, limit: 100, from: "oldest" });
  return events.map(({ seq, sender, body }) => `${seq} ${sender} ${JSON.parse(body ?? "{}").text}`);
}

const rows = async () => (await store.webhooks.list({ limit: 100 })).toReversed();

beforeAll(async () => {
  const mongo = await requireMongo();
  const uri = new URL(mongo.uri);
  uri.pathname = `/${mongo.database}`;
  mongoUri = uri.href;
  broker = await OriginalBroker.open();
  await leave(broker);
});
afterAll(async () => {
  await observer?.close();
  await store?.close();
  await broker?.close();
});

describe("an observer on the broker of an original", () => {
  it("takes over what lies in the queues, each message once, and removes them", async () => {
    const lines = await start();
    store = await connectMongoStore({ uri: mongoUri });

    expect(await history("ann.bob")).toEqual(["1 ann to bob", "2 ann and again", "3 bob not handled yet"]);
    expect(await history("group-team")).toEqual(["1 ann to all"]);
    expect((await broker.queues()).filter((name) => originalQueues.some((queue) => queue === name))).toEqual(
      [],
    );
    expect(lines).toContainEqual(
      expect.objectContaining({ msg: "took over the original's messages", appended: 3, known: 5 }),
    );
  });

  it("has the webhooks to send, before those of what came later, each once", async () => {
    expect(
      (await rows()).map(({ event, endpoint: to, body }) => [event, to, JSON.parse(body)]),
    ).toMatchObject([
      ["message-sent", endpoint, { message_id: "direct-1", delivered_to: "ann", data: { text: "to bob" } }],
      ["message-delivered", endpoint, { message_id: "direct-1", delivered_to: "bob" }],
      ["message-return-receipt", endpoint, { message_id: "direct-1", data: { status: 250 } }],
      ["presence-change", endpoint, { user_id: "bob", createdAt: time }],
      ["message-sent", endpoint, { delivered_to: "bob", data: { text: "not handled yet" } }],
      ["message-delivered", endpoint, { delivered_to: "ann", data: { text: "not handled yet" } }],
    ]);
  });

  it("made dead letters of what it could not take over", async () => {
    const letters = await broker.takeAll("chat21.dead");

    expect(letters.map(({ payload, properties: { headers } }) => [payload, headers])).toMatchObject([
      ["{torn", { "x-chat21-reason": "refused", "x-chat21-detail": "malformed: payload" }],
      ["no JSON", { "x-chat21-reason": "refused", "x-chat21-routing-key": webhookKey("presence") }],
    ]);
  });

  it("is quiet when it starts again", async () => {
    const before = { rows: await rows(), messages: await history("ann.bob") };
    await observer?.close();

    const lines = await start();

    expect(lines.filter(({ level, msg }) => level > 30 || msg.includes("original"))).toEqual([]);
    expect({ rows: await rows(), messages: await history("ann.bob") }).toEqual(before);
    expect(await broker.takeAll("chat21.dead")).toEqual([]);
  });
});
