import { ChatError } from "@chat21/protocol";
import { describe, expect } from "vitest";
import { test } from "./api.fixture.ts";
import { app, oldMessage, startApi } from "./start-api.ts";

describe("health", () => {
  test("the process is alive and ready, until it drains", async ({ api }) => {
    expect((await api.get("/healthz")).text).toBe('{"status":"ok"}');
    expect((await api.get("/readyz")).text).toBe('{"ready":true,"reason":"ok"}');

    await api.engine.drain();
    const ready = await api.get("/readyz");
    const send = await api.post(`/api/v1/${app}/conversations/bob/messages`, api.token("alice"), {
      text: "hi",
    });
    const old = await api.post(`/api/${app}/messages`, api.token("alice"), oldMessage("bob", "hi"));

    expect([ready.status, ready.text]).toEqual([503, '{"ready":false,"reason":"shutting_down"}']);
    expect([send.status, send.json.code]).toEqual([503, "shutting_down"]);
    expect(Number(send.headers["retry-after"])).toBeGreaterThan(0);
    expect([old.status, old.json.success]).toEqual([503, false]);
  });
});

describe("a store that fails", () => {
  test("is told with the statuses of the existing API, and as a problem on v1, without its words", async () => {
    let isBroken = false;
    const api = await startApi({
      gate: async (point) => {
        if (isBroken && /^(conversations|events|users)\./.test(point))
          throw new ChatError("internal", "table secret_7 is broken");
      },
    });
    isBroken = true;
    const alice = api.token("alice");
    const err = '{"success":false,"err":"The server failed"}';
    const old: readonly (readonly [string, string, number])[] = [
      ["GET", "alice/conversations", 501],
      ["GET", "alice/archived_conversations", 501],
      ["GET", "alice/conversations/bob", 501],
      ["GET", "alice/conversations/bob/messages", 500],
      ["DELETE", "conversations/bob", 500],
    ];

    for (const [method, path, status] of old) {
      const answer = await api.call(method, `/api/${app}/${path}`, { token: alice });
      expect([path, answer.status, answer.text]).toEqual([path, status, err]);
    }
    const problem = await api.get(`/api/v1/${app}/users/alice`, alice);
    expect([problem.status, problem.json.code, problem.json.detail]).toEqual([
      500,
      "internal",
      "The server failed",
    ]);
    expect(api.logged.filter(({ level }) => level === 50)).not.toEqual([]);
    isBroken = false;
    await api.close();
  });
});

describe("metrics", () => {
  test("count requests by route, with few series whatever is called", async ({ api }) => {
    await api.get(`/api/${app}/alice/conversations`, api.token("alice"));
    for (let n = 0; n < 20; n++) await api.get(`/api/unknown/${n}`);
    await api.post(`/api/${app}/messages`, api.token("alice"), oldMessage("bob", "hi"));

    const { text, headers } = await api.get("/metrics");

    expect(headers["content-type"]).toContain("text/plain");
    expect(text).toContain(
      'chat21_http_request_seconds_count{route="listConversations",method="GET",status="200"} 1',
    );
    expect(text).toContain('chat21_http_request_seconds_count{route="unknown",method="any",status="403"} 20');
    expect(text).toMatch(/^chat21_messages_committed_total [1-9]/m);
    expect(text).toMatch(/^process_cpu_seconds_total /m);
    expect(text).not.toContain("alice");
  });

  test("ask for their own token where one is set", async () => {
    const api = await startApi({ config: { metricsToken: "scrape-me" } });

    expect((await api.get("/metrics")).status).toBe(401);
    expect((await api.get("/metrics", api.admin())).status).toBe(401);
    expect((await api.get("/metrics", "Bearer scrape-me")).status).toBe(200);
    await api.close();
  });
});

describe("the log", () => {
  test("never holds tokens, secrets or payloads", async ({ api }) => {
    const token = api.token("alice");
    await api.get(`/api/${app}/alice/conversations?token=${token}&limit=5`);
    await api.get(`/api/${app}/alice/conversations?JWT=${token}`);
    await api.get(`/api/${app}/alice/conversations?t%6Fken=${token}`);
    await api.post(`/api/${app}/messages`, `Bearer ${token}`, oldMessage("bob", "very private words"));
    await api.post(`/api/${app}/push/webhook/endpoint/endpoint-secret`, undefined, {});
    await api.call("POST", `/api/${app}/messages`, { token, raw: '{"text":"very private words"' });

    const text = JSON.stringify(api.logged);

    expect(text).toContain("[redacted]&limit=5");
    for (const secret of [token, token.split(".")[2] as string, "very private words", "endpoint-secret"]) {
      expect(text).not.toContain(secret);
    }
  });
});

describe("refusals", () => {
  test("have a line in the log with the route and the reason, at most ten a minute and nothing of the request", async () => {
    const api = await startApi();
    const token = api.token("alice");
    const lines = () => api.logged.filter(({ msg }) => msg === "a request was refused");

    for (let n = 0; n < 25; n++) await api.get(`/api/v1/${app}/users`, token);
    await api.put(`/api/v1/${app}/users/alice`, token, { fullname: 5, "hush-hush": 1 });
    await api.get(`/api/${app}/bob-the-secret/conversations`, token);
    await api.get(`/api/${app}/getInfo`, "bad");
    await api.clock.advance(60_000);
    await api.get(`/api/v1/${app}/users`, token);

    expect(lines()).toHaveLength(13);
    expect(lines()[0]).toMatchObject({
      ...{ route: "listUsers", code: "forbidden", status: 403 },
      reason: "the route is for an admin of the app in the path",
    });
    expect(lines()[10]).toMatchObject({ route: "putUser", code: "bad_request" });
    expect(lines().at(-1)).toMatchObject({ route: "listUsers", refusedWithoutLine: 15 });
    expect(JSON.stringify(lines())).not.toMatch(/secret/);
    await api.close();
  });
});

describe("rate limits", () => {
  test("end after a minute, although the clock was set back by an hour meanwhile", async () => {
    const api = await startApi({ config: { rateLimits: { requests: 1, signIns: 1, authFailures: 1 } } });
    const token = api.token("alice");
    const statusOf = async () => (await api.get(`/api/${app}/getInfo`, token)).status;
    const first = [await statusOf(), await statusOf()];

    api.clock.step(-60 * 60_000);
    await api.clock.advance(59_000);
    const before = await statusOf();
    await api.clock.advance(2_000);

    expect([...first, before, await statusOf()]).toEqual([200, 429, 429, 200]);
    await api.close();
  });

  test("one user too many requests, and nobody else", async () => {
    const api = await startApi({ config: { rateLimits: { requests: 3, signIns: 3, authFailures: 3 } } });
    const [alice, bob] = [api.token("alice"), api.token("bob")];
    const ask = (token: string) => api.get(`/api/${app}/getInfo`, token);

    for (let n = 0; n < 3; n++) expect((await ask(alice)).status).toBe(200);
    const old = await ask(alice);
    const problem = await api.get(`/api/v1/${app}/conversations`, alice);

    expect([old.status, old.text]).toEqual([429, '{"success":false,"err":"Too many requests"}']);
    expect([problem.status, problem.json.code]).toEqual([429, "rate_limited"]);
    expect(problem.json.retry_after_ms).toBeGreaterThan(0);
    expect(Number(problem.headers["retry-after"])).toBeGreaterThan(0);
    expect((await ask(bob)).status).toBe(200);
    for (let n = 0; n < 10; n++) expect((await ask(api.admin())).status).toBe(200);
    await api.close();
  });

  test("the addresses of one household count together: those of an IPv6 network of 64 bits", async () => {
    const rateLimits = { requests: 100, signIns: 1, authFailures: 1 };
    const api = await startApi({ config: { rateLimits, trustProxy: 1 } });
    const statusFor = async (address: string) => {
      const headers = { "x-forwarded-for": address };
      return (await api.call("GET", `/api/v1/${app}/groups`, { token: "bad", headers })).status;
    };

    expect(await statusFor("2001:db8:1:2::1")).toBe(401);
    expect(await statusFor("2001:db8:1:2:ffff::9")).toBe(429);
    expect(await statusFor("2001:db8:1:3::1")).toBe(401);
    expect(await statusFor("192.0.2.1")).toBe(401);
    expect(await statusFor("192.0.2.2")).toBe(401);
    await api.close();
  });

  test("guessed server keys run out of answers as bad tokens do", async () => {
    const api = await startApi({ config: { rateLimits: { requests: 100, signIns: 3, authFailures: 1 } } });
    const ask = () => api.get(`/api/v1/${app}/groups`, `c21_${"x".repeat(43)}`);

    expect([(await ask()).status, (await ask()).status]).toEqual([401, 429]);
    await api.close();
  });

  test("bad tokens run out of answers, good ones from the same address do not", async () => {
    const api = await startApi({ config: { rateLimits: { requests: 100, signIns: 3, authFailures: 3 } } });
    const ask = (token: string) => api.get(`/api/${app}/getInfo`, token);

    for (let n = 0; n < 3; n++) expect((await ask("bad")).status).toBe(403);

    expect((await ask("bad")).status).toBe(429);
    expect((await ask(api.token("alice"))).status).toBe(200);
    await api.close();
  });
});

test("only the apps that are served are served", async () => {
  const api = await startApi({ config: { apps: [app] } });
  const other = api.token("alice", { app: "other" });

  expect((await api.get("/api/other/alice/conversations", other)).status).toBe(401);
  expect((await api.get("/api/v1/other/conversations", other)).status).toBe(403);
  expect((await api.get(`/api/${app}/alice/conversations`, api.token("alice"))).status).toBe(200);
  await api.close();
});
