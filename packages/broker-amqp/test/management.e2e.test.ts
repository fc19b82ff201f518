import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createTokens } from "@chat21/auth";
import { type RequiredRabbit, requireRabbit } from "@chat21/testkit/services";
import { connectAsync, type MqttClient } from "mqtt";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { createConnectionCloser } from "../src/management.ts";

const run = randomUUID().slice(0, 8);
const [alice, bob] = [`alice-${run}`, `bob-${run}`];
const app = "tilechat";

let rabbit: RequiredRabbit;
const clients: MqttClient[] = [];
const lines: { readonly message: string; readonly fields: object }[] = [];
const write = (fields: object, message: string) => void lines.push({ fields, message });
const log = { debug: write, info: write, warn: write, error: write };

beforeAll(async () => {
  rabbit = await requireRabbit();
});

afterAll(() => rabbit?.stop());

afterEach(() => {
  for (const client of clients.splice(0)) client.end(true);
  lines.length = 0;
});

async function connected(user: string, profile: "strict" | "compat", uri: string | null, isListening = true) {
  const tokens = createTokens({
    secret: rabbit.jwtSecret ?? "",
    clock: { now: Date.now },
    newId: randomUUID,
  });
  const { token, clientId } = tokens.issue({ app, user, profile });
  const options = { username: "JWT", password: token, clientId, reconnectPeriod: 0 };
  const client = await connectAsync(uri ?? "", options);
  clients.push(client);
  if (isListening) await client.subscribeAsync(`apps/${app}/users/${user}/#`);
  const closed = new Promise<void>((resolve) => client.once("close", () => resolve()));
  return { client, clientId, closed };
}

const loginOf = (uri: string) => uri.replace("//", "//guest:guest@");

test("every connection of the user is closed, over TCP and WebSocket, strict and compat, and nobody else's", async () => {
  const [first, second, third] = [
    await connected(alice, "strict", rabbit.mqttUri),
    await connected(alice, "strict", rabbit.webMqttUri),
    await connected(alice, "compat", rabbit.mqttUri),
  ];
  const other = await connected(bob, "strict", rabbit.mqttUri);
  const closer = createConnectionCloser({ uri: loginOf(rabbit.managementUri ?? ""), log });

  const outcome = await closer.close({ app, user: alice });

  await Promise.all([first.closed, second.closed, third.closed]);
  expect(outcome.isComplete).toBe(true);
  expect(other.client.connected).toBe(true);
  await expect(
    other.client.publishAsync(`apps/${app}/users/${bob}/x`, "{}", { qos: 1 }),
  ).resolves.toBeDefined();
  expect(lines.map(({ message }) => message)).toEqual(["closed connections of revoked tokens"]);
});

test("with a client id only that connection is closed, though it listens to nothing", async () => {
  const gone = await connected(alice, "strict", rabbit.mqttUri, false);
  const kept = await connected(alice, "strict", rabbit.mqttUri);
  const closer = createConnectionCloser({ uri: loginOf(rabbit.managementUri ?? ""), log });

  expect(await closer.close({ app, user: alice, clientId: gone.clientId })).toEqual({
    closed: 1,
    isComplete: true,
  });

  await gone.closed;
  expect(kept.client.connected).toBe(true);
});

test("a user whose id begins like another's is another user", async () => {
  const other = await connected(`${alice}-2`, "strict", rabbit.mqttUri);
  const closer = createConnectionCloser({ uri: loginOf(rabbit.managementUri ?? ""), log, lagMs: 0 });

  expect(await closer.close({ app, user: alice })).toEqual({ closed: 0, isComplete: true });
  expect(other.client.connected).toBe(true);
});

test.each([
  ["nobody listens there", "http://guest:guest@127.0.0.1:1"],
  ["the password is wrong", null],
])("when %s, it says so in the log without the password, and resolves", async (_title, uri) => {
  const wrong = (rabbit.managementUri ?? "").replace("//", "//guest:sesame@");
  const closer = createConnectionCloser({ uri: uri ?? wrong, log, timeoutMs: 2_000 });

  expect(await closer.close({ app, user: alice })).toEqual({ closed: 0, isComplete: false });

  expect(lines.map(({ message }) => message)).toEqual(["could not close all connections of revoked tokens"]);
  expect(JSON.stringify(lines.map(({ fields }) => String(Object.values(fields))))).not.toMatch(
    /sesame|guest/,
  );
});

test("a broker that does not answer is asked twice, each time no longer than the timeout", async () => {
  let asked = 0;
  const server: Server = createServer(() => void asked++).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const closer = createConnectionCloser({ uri: `http://a:b@127.0.0.1:${port}`, log, timeoutMs: 100 });

  expect(await closer.close({ app, user: alice })).toEqual({ closed: 0, isComplete: false });

  expect(asked).toBe(2);
  server.closeAllConnections();
  server.close();
});
