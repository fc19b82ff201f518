import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createServerKeys, createTokens, createVerifier } from "@chat21/auth";
import { createEmbeddedEdge } from "@chat21/broker-embedded";
import type { Chat } from "@chat21/client-sdk";
import { connectWith } from "@chat21/client-sdk/testing";
import { createEngine, eventRules } from "@chat21/engine";
import { createWebhookSink, generateWebhookSecret } from "@chat21/events";
import { createHttpApi } from "@chat21/http-api";
import { type Answer, type EventCodes, eventCodes, topics } from "@chat21/protocol";
import { systemClock } from "@chat21/runtime";
import { connectMongoStore, migrateMongoStore } from "@chat21/store-mongo";
import { openSqliteStore } from "@chat21/store-sqlite";
import {
  reduceStar,
  starred,
  starredType,
  starredWebhook,
  startWebhookReceiver,
  type WebhookReceiver,
  type WholeStore,
} from "@chat21/testkit";
import { requireMongo } from "@chat21/testkit/services";
import { createWebhookWorker } from "@chat21/webhooks";
import mqtt from "mqtt";
import { pino } from "pino";
import { Registry } from "prom-client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newDataDir, removeDataDirs } from "./server-process.ts";

const app = "tilechat";
const kinds: EventCodes = { ...eventCodes, [starredType]: starred.wire.code };

/** Opens a store that knows the new kind. */
type OpenStore = () => Promise<WholeStore>;

async function openMongo(): Promise<WholeStore> {
  const { uri, database } = await requireMongo();
  const options = { uri, database, kinds };
  await migrateMongoStore(options);
  return connectMongoStore(options);
}

const openSqlite: OpenStore = () => openSqliteStore({ path: join(newDataDir(), "chat21.db"), kinds });

describe.each<[string, OpenStore]>([
  ["SQLite", openSqlite],
  ["MongoDB", openMongo],
])("A kind of event that is defined in one file, on %s", (_, open) => {
  const closing: (() => Promise<unknown> | unknown)[] = [];
  let url: string;
  let mqttUrl: string;
  let receiver: WebhookReceiver;
  let tokenOf: (user: string) => Promise<string>;

  beforeAll(async () => {
    const store = await open();
    const log = pino({ level: "silent" });
    const metrics = { count() {}, observe() {} };
    const clock = systemClock;
    const tokens = createTokens({
      secret: "a-secret-of-a-test-that-is-long-enough",
      clock,
      newId: randomUUID,
    });
    const verifier = createVerifier({ tokens, revocations: store.revocations, clock });
    receiver = await startWebhookReceiver();
    const endpoints = [{ url: receiver.url, secrets: [generateWebhookSecret()] }];
    const worker = createWebhookWorker({
      ...{ store: store.webhooks, endpoints, clock, log, metrics, allowPrivate: [], allowLoopback: true },
      ...{ keepDeliveredMs: 60_000, keepDeadMs: 60_000 },
    });
    const sink = createWebhookSink({
      ...{ endpoints, store: store.webhooks, clock, events: ["message-sent", starredWebhook] },
      onEnqueued: () => worker.wake(),
    });
    const edge = createEmbeddedEdge({
      listeners: [{ kind: "tcp", host: "127.0.0.1", port: 0 }],
      log,
      metrics,
    });
    const engine = createEngine({
      ...{ store, edge, tokens: verifier, clock, newId: randomUUID, log, metrics, sinks: [sink] },
      kinds: { ...eventRules, [starredType]: starred },
    });
    const serverKeys = createServerKeys({ store: store.serverKeys, clock, log });
    const api = createHttpApi({
      ...{ engine, store, tokens, verifier, serverKeys, clock, log, registry: new Registry() },
    });
    const http: HttpServer = createServer(api);
    await verifier.start();
    await engine.start();
    await edge.start(engine);
    http.listen(0, "127.0.0.1");
    await once(http, "listening");
    worker.start();
    url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
    mqttUrl = edge.addresses[0]?.url ?? "";
    tokenOf = async (user) => (await tokens.issue({ app, user, profile: "compat" })).token;
    closing.push(
      () => worker.stop(1_000),
      () => edge.close(1_000),
      () => engine.drain(),
      () => new Promise((resolve) => http.close(resolve)),
      () => verifier.stop(),
      () => store.close(),
      () => receiver.close(),
    );
  });

  afterAll(async () => {
    for (const close of closing) await close();
    removeDataDirs();
  });

  const connect = async (user: string): Promise<Chat> => {
    const options = { url, mqttUrl, token: await tokenOf(user) };
    const chat = await connectWith(options, { furtherKinds: { [starredType]: reduceStar } });
    closing.unshift(() => chat.close());
    return chat;
  };

  /** Gives a star as any MQTT client does; resolves with the server's answer. */
  async function star(user: string, conversWith: string, seq: number): Promise<Answer> {
    const client = await mqtt.connectAsync(mqttUrl, {
      ...{ clientId: `${user}-raw`, username: "JWT", password: await tokenOf(user), reconnectPeriod: 0 },
    });
    try {
      await client.subscribeAsync(topics.inbox(app, user));
      const answer = new Promise<Answer>((resolve) => {
        client.on("message", (topic, payload) => {
          if (topic === topics.answer(app, user, `${user}-raw`)) resolve(JSON.parse(payload.toString()));
        });
      });
      const command = { type: "star", request_id: randomUUID(), conversWith, seq };
      await client.publishAsync(topics.command(app, user, `${user}-raw`), JSON.stringify(command), {
        qos: 1,
      });
      return await answer;
    } finally {
      await client.endAsync();
    }
  }

  it("goes through router, store, live delivery, sync, history, webhook and SDK", async () => {
    const [ann, bob] = await Promise.all([connect("ann"), connect("bob")]);
    const { seq } = await ann.send("bob", { text: "bright" });
    const starsOf = (chat: Chat, conversWith: string) =>
      chat.conversation(conversWith).messages.find((message) => message.seq === seq)?.attributes["stars"];

    expect(await star("bob", "ann", seq)).toMatchObject({ code: "ok", seq: seq + 1 });

    await expect.poll(() => starsOf(ann, "bob")).toEqual(["bob"]);
    await expect.poll(() => starsOf(bob, "ann")).toEqual(["bob"]);
    const authorization = `Bearer ${await tokenOf("ann")}`;
    const events = await fetch(`${url}/api/v1/${app}/conversations/bob/events`, {
      headers: { authorization },
    });
    expect(await events.json()).toMatchObject({
      events: [
        { type: "message", message: { text: "bright" }, overlay: { version: seq + 1, stars: ["bob"] } },
        { type: starredType, sender: "bob", data: { seq } },
      ],
    });
    const sync = await fetch(`${url}/api/v1/${app}/sync`, {
      method: "POST",
      headers: { authorization, "content-type": "application/json" },
      body: "{}",
    });
    expect(await sync.json()).toMatchObject({
      conversations: [{ events: [{ overlay: { stars: ["bob"] } }, { type: starredType }] }],
    });
    const webhook = await receiver.next(({ body }) => body.event_type === starredWebhook);
    expect(webhook.body).toMatchObject({ user_id: "bob", seq: seq + 1, data: { seq } });
  });

  it("is refused by its own rule, and by nobody's text", async () => {
    const ann = await connect("cid");
    const { seq } = await ann.send("dan", { text: "mine" });

    expect(await star("cid", "dan", seq)).toMatchObject({ code: "forbidden" });
    expect(await star("dan", "cid", seq + 7)).toMatchObject({ code: "not_found" });
    expect(await star("eve", "cid", seq)).toMatchObject({ code: "not_member" });
  });
});
