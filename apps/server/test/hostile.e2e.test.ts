import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect as connectSocket, type Socket } from "node:net";
import {
  type OldClient,
  RestCaller,
  startWebhookReceiver,
  type WebhookReceiver,
  World,
} from "@chat21/testkit";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { freePort, removeDataDirs, ServerProcess } from "./server-process.ts";
import { expectSlowReaderToLeave } from "./slow-reader.ts";

const app = "tilechat";
const secret = "hostile-tests-share-this-secret-with-nobody";

let server: ServerProcess;
let webhooks: WebhookReceiver;
let world: World;
/** Two people who do nothing wrong, before, during and after. */
let ann: OldClient;
let bob: OldClient;

beforeAll(async () => {
  webhooks = await startWebhookReceiver();
  const mqttWsPort = await freePort();
  server = await ServerProcess.start({
    env: {
      CHAT21_JWT_SECRET: secret,
      CHAT21_MQTT_WS_PORT: String(mqttWsPort),
      LOG_LEVEL: "ERROR",
      CHAT21_RATE_LIMITS: "off",
    },
  });
  const topology = {
    mqttWsUrl: `ws://127.0.0.1:${mqttWsPort}/ws`,
    mqttTcpUrl: server.mqttUrl,
    apiUrl: `${server.url}/api`,
    metricsUrl: `${server.url}/metrics`,
    publishesAreJudgedBy: "policy" as const,
    takeovers: "safe" as const,
    secret,
    close: async () => {},
  };
  world = new World(topology, webhooks);
});
beforeEach(async () => {
  [ann, bob] = await world.people("ann", "bob");
});
afterEach(async () => {
  // Nobody else was disturbed, and the process is alive.
  await ann.send(bob.user, { text: "still here" });
  await bob.nextMessage(ann.user, "still here");
  expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
  await world.leave();
});
afterAll(async () => {
  await server.stop("SIGKILL");
  await webhooks.close();
  removeDataDirs();
});

function openTcp(): Promise<Socket> {
  const { hostname, port } = new URL(server.mqttUrl);
  const socket = connectSocket({ host: hostname, port: Number(port) });
  socket.on("error", () => {});
  return new Promise((resolve) => socket.once("connect", () => resolve(socket)));
}

/** Everything the HTTP port says to some bytes until the connection is closed. */
function exchange(bytes: string): Promise<string> {
  const { hostname, port } = new URL(server.url);
  const socket = connectSocket({ host: hostname, port: Number(port) });
  let answer = "";
  socket
    .on("error", () => {})
    .on("data", (chunk) => {
      answer += chunk.toString("latin1");
    });
  socket.write(bytes);
  return new Promise((resolve) => socket.once("close", () => resolve(answer)));
}

/** What a counter rises by while `run` runs. */
async function increaseOf(
  name: string,
  labels: Record<string, string>,
  run: () => Promise<unknown>,
): Promise<number> {
  const before = await world.metric(name, labels);
  await run();
  return (await world.metric(name, labels)) - before;
}

describe("what is refused is counted", () => {
  it.each([
    ["an expired token", "token_expired", (user: string) => world.token(user, { ttlSeconds: -60 })],
    ["a token with alg none", "unauthorized", (user: string) => world.token(user, { algorithm: "none" })],
    ["no token at all", "unauthorized", () => ""],
  ])("on connecting with %s", async (_what, code, token) => {
    const user = world.newUser("intruder");

    const increase = await increaseOf("chat21_connects_refused_total", { code }, () =>
      world.connect(user, { token: token(user) }).catch(() => undefined),
    );

    expect(increase).toBe(1);
  });

  it("on publishing to somebody else", async () => {
    const mallory = await world.connect(world.newUser("mallory"));

    const increase = await increaseOf("chat21_refused_total", { code: "forbidden" }, async () => {
      mallory.publish(`apps/${app}/outgoing/users/${ann.user}/messages/${bob.user}/outgoing`, {
        text: "forged",
      });
      await mallory.closed;
    });

    expect(increase).toBe(1);
  });

  it.each([
    ["publishing to somebody else", "forbidden", () => `apps/${app}/users/${ann.user}/presence/x`],
    ["publishing with a wildcard", "protocol_error", () => `apps/${app}/users/+/presence/x`],
  ])("as a connection that was closed on %s", async (_what, reason, topic) => {
    const mallory = await world.connect(world.newUser("mallory"));

    const increase = await increaseOf("chat21_sessions_closed_total", { reason }, async () => {
      mallory.publish(topic(), {});
      await mallory.closed;
    });

    expect(increase).toBe(1);
  });

  it("on listening to somebody else, and the connection stays", async () => {
    const mallory = await world.connect(world.newUser("mallory"));

    const increase = await increaseOf("chat21_refused_total", { code: "forbidden" }, async () => {
      await mallory.subscribe(`apps/${app}/users/${ann.user}/#`).catch(() => undefined);
    });
    await mallory.subscribe(`apps/${app}/users/${mallory.user}/#`);

    expect(increase).toBe(1);
  });
});

describe("bytes that are no MQTT", () => {
  it.each([
    ["noise", () => randomBytes(4_096)],
    ["an HTTP request", () => Buffer.from("GET / HTTP/1.1\r\nHost: x\r\n\r\n")],
    ["a packet that announces 256 MiB", () => Buffer.from([0x10, 0xff, 0xff, 0xff, 0x7f])],
    ["a length that never ends", () => Buffer.from([0x10, 0xff, 0xff, 0xff, 0xff, 0xff])],
    ["a PUBLISH before CONNECT", () => Buffer.from([0x30, 0x05, 0x00, 0x01, 0x61, 0x68, 0x69])],
    ["a CONNECT of MQTT 5", () => Buffer.from("101000044d5154540502003c00000003616263", "hex")],
  ])("%s: the connection is closed", async (_what, bytes) => {
    const socket = await openTcp();
    socket.resume();

    socket.write(bytes());

    await once(socket, "close");
  });

  it("in WebSocket text frames, on another path, or without the sub-protocol are turned away", async () => {
    const closed = (socket: WebSocket) =>
      new Promise((resolve) => socket.on("error", () => {}).once("close", resolve));
    const text = new WebSocket(server.mqttWsUrl, "mqtt");
    text.on("open", () => text.send("hello"));

    await closed(text);
    await closed(new WebSocket(server.mqttWsUrl.replace("/ws", "/other"), "mqtt"));
    await closed(new WebSocket(server.mqttWsUrl));
  });
});

describe("REST", () => {
  it.each([
    ["broken JSON", 400, '{"a":'],
    ["more than it takes", 413, JSON.stringify({ text: "x".repeat(300_000) })],
    ["a string", 400, '"x"'],
  ])("answers %s as a body with %i", async (_what, status, body) => {
    const answer = await fetch(`${server.url}/api/v1/${app}/sync`, {
      method: "POST",
      headers: { authorization: world.token(ann.user), "content-type": "application/json" },
      body,
    });

    expect(answer.status).toBe(status);
    expect(answer.headers.get("content-type")).toContain("problem+json");
  });

  it("takes nothing hostile for an id, in paths and in bodies", async () => {
    const rest = new RestCaller(`${server.url}/api`, world.token(ann.user));
    const bad = ["..%2f..%2fetc", "%00", "a%2fb", "%F0%9F%98%80", "x".repeat(300), "__proto__", "%24ne"];

    const statuses = await Promise.all(
      bad.map(async (id) => (await rest.get(`${app}/${ann.user}/conversations/${id}/messages`)).status),
    );
    const inBody = await rest.post(`${app}/messages`, {
      sender_fullname: "A",
      recipient_id: { $ne: null },
      recipient_fullname: "B",
    });

    expect(statuses.every((status) => status < 500)).toBe(true);
    expect(inBody.status).toBe(405);
  });

  it("answers headers that are too large and lines that are no HTTP without an accident", async () => {
    const answers = await Promise.all([
      exchange(`GET / HTTP/1.1\r\nHost: x\r\nA: ${"x".repeat(100_000)}\r\n\r\n`),
      exchange("\u0000\u0001nonsense\r\n\r\n"),
    ]);

    for (const answer of answers) expect(answer).not.toContain("HTTP/1.1 200");
  });
});

describe("somebody who does not read", () => {
  it("is disconnected and finds everything in history", async () => {
    await expectSlowReaderToLeave(world, server.mqttUrl);
  });
});
