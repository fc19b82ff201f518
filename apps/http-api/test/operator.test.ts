import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createDeliveryLog } from "@chat21/events";
import { operatorApp } from "@chat21/runtime";
import express from "express";
import { expect, onTestFinished, test } from "vitest";
import type { HttpApiConfig } from "../src/index.ts";
import { operatorApi } from "../src/operator-api.ts";
import { recordedWebhooks } from "../src/recorded-webhooks.ts";
import { app, startApi } from "./start-api.ts";

const endpoint = "https://backend.example/hook";

async function open(config: Partial<HttpApiConfig> = {}) {
  const api = await startApi({ config });
  const { engine, store, verifier, serverKeys, authFailures, clock, log, tokens } = api;
  const endpoints = [{ url: endpoint, secrets: [] }];
  const settings = { enabled: true, events: ["message-sent" as const], endpoints };
  const webhooks = recordedWebhooks({ settings, store: store.webhooks, clock });
  const server = express()
    .use(operatorApi({ engine, store, verifier, serverKeys, authFailures, webhooks, log }))
    .listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    server.close();
    await api.close();
  });
  const operator = () => tokens.issue({ app: operatorApp, user: "op", admin: true }).token;
  const call = async (method: string, path: string, body?: object, token = operator()) => {
    const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    // biome-ignore lint/suspicious/noExplicitAny: tests read what they expect to be there.
    const json = (answer.status === 204 ? null : await answer.json()) as any;
    return { status: answer.status, json, headers: answer.headers };
  };
  const enqueue = (...ids: readonly string[]) =>
    store.webhooks.enqueue(
      ids.map((id) => ({
        ...{ id, endpoint, app, orderKey: "lane", event: "message-sent", body: "{}" },
        createdAt: clock.now(),
      })),
    );
  /** Plays the process that sends: one attempt of whatever is due. */
  const send = async (state: "dead" | "delivered" | "pending", status: number) => {
    const now = clock.now();
    const rows = await store.webhooks.lease({ endpoint, now, leaseUntil: now + 1_000, limit: 10 });
    const outcome = { status, error: status === 200 ? null : `HTTP ${status}`, at: now };
    await store.webhooks.settle(
      rows.map(({ id }) => ({
        id,
        leaseUntil: now + 1_000,
        state,
        nextAttemptAt: now + 3_600_000,
        ...outcome,
      })),
    );
    return rows.map(({ id }) => id);
  };
  return { ...api, call, enqueue, send };
}

test("an operator sees what waits, skips what blocks, has it replayed, and has the rest tried at once", async () => {
  const { call, enqueue, send } = await open();
  await enqueue("poison", "behind");
  const blocked = await send("pending", 500);

  const waiting = await call("GET", "/webhooks/log?state=pending");
  const skipped = await call("POST", "/webhooks/skip", { ids: ["poison"] });
  const next = await send("pending", 503);
  const retried = await call("POST", "/webhooks/retry", { endpoint });
  const again = await send("delivered", 200);
  const replayed = await call("POST", "/webhooks/replay", { deadOf: endpoint });

  expect([blocked, next, again, await send("delivered", 200)]).toEqual([
    ["poison"],
    ["behind"],
    ["behind"],
    ["poison"],
  ]);
  expect(waiting.json).toMatchObject([
    { id: "behind" },
    { id: "poison", attempts: 1, lastError: "HTTP 500" },
  ]);
  expect([skipped.json, retried.json, replayed.json]).toEqual([
    { skipped: 1 },
    { retried: 1 },
    { replayed: 1 },
  ]);
});

test("a test event goes the way of all others, and is sent once", async () => {
  const { call, send, clock, store } = await open();
  const log = createDeliveryLog({ store: store.webhooks, clock });

  const testing = call("POST", "/webhooks/test", { app });
  await expect.poll(() => send("pending", 500)).toHaveLength(1);
  await clock.advance(250);
  const failed = await testing;
  const unsent = call("POST", "/webhooks/test", { app, url: endpoint });
  await expect.poll(() => log.list({ state: "pending", limit: 1 })).toHaveLength(1);
  for (let second = 0; second < 41; second += 1) await clock.advance(1_000);

  expect(failed.json).toMatchObject({ delivered: false, status: 500, error: "HTTP 500" });
  expect((await unsent).json).toMatchObject({
    delivered: false,
    status: null,
    error: expect.stringContaining("does chat21-webhooks run?"),
  });
  expect(await log.list({ limit: 9 })).toMatchObject([{ state: "dead" }, { state: "dead" }]);
  expect((await call("POST", "/webhooks/test", { app, url: "https://other.example" })).status).toBe(404);
});

const hourMs = 60 * 60 * 1_000;

test("a backend calls REST with a server key, as an admin of its app, until the key is revoked", async () => {
  const { call, get, post, put, token } = await open();
  const made = await call("POST", `/apps/${app}/keys`, { user: "shop|1" });
  const { key, id } = made.json;

  const stored = await put(`/api/v1/${app}/users/alice`, `Bearer ${key}`, { fullname: "Alice" });
  const issued = await post(`/api/v1/${app}/users/alice/tokens`, key, {});
  const elsewhere = await get("/api/v1/another-app/users", key);
  const listed = await call("GET", `/apps/${app}/keys`);
  const asOperator = await call("GET", "/webhooks", undefined, key);
  const revoked = await call("DELETE", `/apps/${app}/keys/${id}`);
  const after = await get(`/api/v1/${app}/users`, key);

  expect(made.status).toBe(201);
  expect(key).toMatch(/^c21_[\w-]{43}$/);
  expect([stored.status, issued.status, elsewhere.status]).toEqual([200, 201, 403]);
  expect(asOperator.status).toBe(403);
  expect(listed.json.keys).toMatchObject([{ id, app, user: "shop|1", expiresAt: null }]);
  expect(JSON.stringify(listed.json)).not.toContain(key);
  expect([revoked.status, after.status]).toEqual([204, 401]);
  // Tokens that the backend asked for belong to their users, and stay.
  expect((await get(`/api/v1/${app}/users/alice`, issued.json.token)).status).toBe(200);
  expect((await call("DELETE", `/apps/${app}/keys/${id}`)).status).toBe(404);
  expect((await call("GET", `/apps/${app}/keys`, undefined, token("alice"))).status).toBe(403);
});

test("a server key ends when it was to end, and says to the hour when it was last used", async () => {
  const { call, get, clock } = await open();
  const expiresAt = clock.now() + 3 * hourMs;
  const { key } = (await call("POST", `/apps/${app}/keys`, { user: "shop", expiresAt })).json;
  const use = async () => (await get(`/api/v1/${app}/users`, key)).status;
  const lastUsed = async () => (await call("GET", `/apps/${app}/keys`)).json.keys[0].lastUsedAt;

  const [unused, first] = [await lastUsed(), clock.now()];
  const statuses = [await use()];
  await clock.advance(hourMs - 1);
  statuses.push(await use());
  const sameHour = await lastUsed();
  await clock.advance(1);
  statuses.push(await use());
  const nextHour = await lastUsed();
  await clock.advance(2 * hourMs);
  statuses.push(await use());

  expect([unused, sameHour, nextHour]).toEqual([null, first, first + hourMs]);
  expect(statuses).toEqual([200, 200, 200, 401]);
});

test.each([
  { user: "system" },
  { user: "" },
  { user: "shop", expiresAt: 1 },
  { user: "shop", expiresAt: "1d" },
  { user: "shop", role: "admin" },
])("no server key is made from %j", async (request) => {
  const { call } = await open();

  expect((await call("POST", `/apps/${app}/keys`, request)).status).toBe(400);
  expect((await call("GET", `/apps/${app}/keys`)).json).toEqual({ keys: [] });
});

test("the log has neither a server key nor its hash, and says why one was refused", async () => {
  const { call, get, logged, disk } = await open();
  const { key, id } = (await call("POST", `/apps/${app}/keys`, { user: "shop" })).json;
  const [hash] = [...disk.serverKeys.keys()];
  await get(`/api/${app}/alice/conversations?token=${key}`);
  await get(`/api/v1/${app}/users`, `${key}x`);
  await call("DELETE", `/apps/${app}/keys/${id}`);
  await get(`/api/v1/${app}/users`, key);

  const text = JSON.stringify(logged);
  expect(text).not.toContain(key);
  expect(text).not.toContain(hash);
  expect(logged).toContainEqual(
    expect.objectContaining({ msg: "a token was refused", reason: expect.stringContaining("server key") }),
  );
});

test("nobody but operators gets in, and the refusal says which token it takes", async () => {
  const { call, token, admin } = await open();

  const answers = await Promise.all([
    call("GET", "/webhooks", undefined, token("alice")),
    call("GET", "/webhooks", undefined, admin()),
    call("POST", `/apps/${app}/users/alice/erase`, {}, admin()),
    call("GET", "/webhooks", undefined, "x"),
  ]);

  expect(answers.map(({ status }) => status)).toEqual([403, 403, 403, 401]);
  expect(answers[1]?.json.detail).toContain(`an admin's of the app ${operatorApp}`);
});

test("an operator erases a person of any app", async () => {
  const { call, engine, store, clock } = await open();
  await engine.messages.send({ app, user: "gone", admin: false }, { recipient: "bob", body: '{"text":"x"}' });
  const times = { createdAt: clock.now(), updatedAt: clock.now() };
  await store.users.put({ app, id: "gone", profile: '{"fullname":"Gone G."}', ...times });
  const row = { endpoint, orderKey: "lane", event: "message-sent", createdAt: clock.now() };
  await store.webhooks.enqueue([
    { ...row, app, id: "to the person", body: '{"recipient":"gone"}' },
    { ...row, app, id: "of somebody else", body: '{"sender":"gone-not","text":"gone?"}' },
    { ...row, app, id: "from the person", body: '{"sender":"gone"}' },
  ]);

  const { json } = await call("POST", `/apps/${app}/users/gone/erase`);

  expect(json).toEqual({ messages: 1, names: 0, groups: 0, profile: true, instances: 0, webhooks: 2 });
  expect((await call("GET", "/webhooks/log")).json).toMatchObject([{ id: "of somebody else" }]);
  expect(await store.users.get(app, "gone")).toBeNull();
});

test("bad tokens and guessed keys run out of answers here and at REST together, a good token does not", async () => {
  const { call, get } = await open({ rateLimits: { requests: 100, signIns: 3, authFailures: 3 } });
  const guess = (token: string) => call("GET", "/webhooks", undefined, token);

  const answered = [
    (await guess("bad")).status,
    (await guess(`c21_${"x".repeat(43)}`)).status,
    (await get(`/api/v1/${app}/groups`, "bad")).status,
  ];
  const refused = await guess("bad");

  expect(answered).toEqual([401, 401, 401]);
  expect([refused.status, refused.json.code]).toEqual([429, "rate_limited"]);
  expect(refused.json.retry_after_ms).toBeGreaterThan(0);
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
  expect((await get(`/api/v1/${app}/groups`, "bad")).status).toBe(429);
  expect((await call("GET", "/webhooks")).status).toBe(200);
});
