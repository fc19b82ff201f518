import { randomUUID } from "node:crypto";
import {
  compatToken,
  OldClient,
  startWebhookReceiver,
  type Topology,
  type WebhookReceiver,
} from "@chat21/testkit";
import { requireRabbit } from "@chat21/testkit/services";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import { startCluster } from "./start-cluster.ts";

const app = "tilechat";

let cluster: Topology;
let webhooks: WebhookReceiver;
let management: string;

beforeAll(async () => {
  const rabbit = await requireRabbit();
  if (rabbit.managementUri === null)
    throw new Error("RABBITMQ_URI is given: RABBITMQ_MANAGEMENT_URI is needed as well");
  management = rabbit.managementUri;
  webhooks = await startWebhookReceiver();
  cluster = await startCluster({ webhookEndpoint: webhooks.url });
});
afterAll(async () => {
  await cluster?.close();
  await webhooks?.close();
});

/** Calls the broker's management API, as a backend's operator does. */
async function manage(method: string, path: string, body?: unknown): Promise<Response> {
  const { username, password, origin } = new URL(management);
  const login = Buffer.from(`${username || "guest"}:${password || "guest"}`).toString("base64");
  const answer = await fetch(`${origin}/api/${path}`, {
    method,
    headers: { authorization: `Basic ${login}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return answer;
}

interface Taken {
  readonly routing_key: string;
  readonly payload: string;
  readonly properties: { readonly message_id?: string; readonly delivery_mode?: number };
}

/** Binds a backend's own queue to the exchange. Returns a function that empties it. */
async function bindQueue(routingKey: string): Promise<() => Promise<readonly Taken[]>> {
  const queue = `test-${randomUUID()}`;
  await manage("PUT", `queues/%2F/${queue}`, { durable: true });
  onTestFinished(async () => void (await manage("DELETE", `queues/%2F/${queue}`)));
  await manage("POST", `bindings/%2F/e/chat21.events/q/${queue}`, { routing_key: routingKey });
  const taken: Taken[] = [];
  return async () => {
    const request = { count: 100, ackmode: "ack_requeue_false", encoding: "auto" };
    const answer = await manage("POST", `queues/%2F/${queue}/get`, request);
    taken.push(...((await answer.json()) as readonly Taken[]));
    return taken;
  };
}

it("a backend's own queue gets the same events as a webhook, from MQTT and from REST", async () => {
  const user = `ann-${randomUUID().slice(0, 8)}`;
  const other = `bob-${randomUUID().slice(0, 8)}`;
  const token = compatToken(user, { secret: cluster.secret });
  const take = await bindQueue(`apps.${app}.message-sent`);
  const client = await OldClient.connect({ url: cluster.mqttWsUrl, user, token });
  onTestFinished(() => client.cut());

  await client.send(other, { text: "over MQTT" });
  const answer = await fetch(`${cluster.apiUrl}/${app}/messages`, {
    method: "POST",
    headers: { authorization: token, "content-type": "application/json" },
    body: JSON.stringify({
      ...{ sender_fullname: user, recipient_id: other, recipient_fullname: other, text: "over REST" },
    }),
  });
  const own = async () => (await take()).filter(({ payload }) => payload.includes(user));
  // A queue that was bound a moment ago may get its first event a second later.
  await expect.poll(async () => (await own()).length, { timeout: 10_000 }).toBe(2);
  const events = await own();
  const sent = await Promise.all(
    ["over MQTT", "over REST"].map((text) =>
      webhooks.next(({ body }) => body.event_type === "message-sent" && body.data.text === text),
    ),
  );

  expect(answer.status).toBe(200);
  expect(events.map(({ routing_key: key }) => key)).toEqual(Array(2).fill(`apps.${app}.message-sent`));
  expect(events.map(({ properties }) => properties.delivery_mode)).toEqual([2, 2]);
  expect(new Set(events.map(({ properties }) => properties.message_id)).size).toBe(2);
  const bodies = events.map(({ payload }) => JSON.parse(payload));
  const byId = (some: { readonly message_id: string }) => some.message_id;
  expect(bodies.map(byId).toSorted()).toEqual(sent.map(({ body }) => byId(body)).toSorted());
  expect(bodies.map(({ data }) => data.text).toSorted()).toEqual(["over MQTT", "over REST"]);
});
