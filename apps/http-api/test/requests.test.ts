import { describe, expect } from "vitest";
import { test } from "./api.fixture.ts";
import { app, oldMessage } from "./start-api.ts";

describe("unknown paths", () => {
  test("under the existing API ask for a token first, then say so in HTML", async ({ api }) => {
    const without = await api.get("/api/nothing/here/at/all");
    const found = await api.get("/api/nothing/<here>", api.token("alice"));

    expect([without.status, without.text]).toEqual([403, '{"success":false,"msg":"Unauthorized."}']);
    expect(found.status).toBe(404);
    expect(found.headers["content-type"]).toBe("text/html; charset=utf-8");
    expect(found.text).toContain("Cannot GET /api/nothing/");
    expect(found.text).not.toContain("<here>");
  });

  test("under v1 answer a problem, never the existing API's route of the same form", async ({ api }) => {
    const nothing = await api.get(`/api/v1/${app}/nothing`);
    const old = await api.post("/api/v1/messages", api.token("alice"), oldMessage("bob", "hi"));

    for (const answer of [nothing, old]) {
      expect(answer.status).toBe(404);
      expect(answer.headers["content-type"]).toBe("application/problem+json; charset=utf-8");
      expect(answer.json).toMatchObject({ code: "not_found", status: 404, title: expect.any(String) });
    }
  });

  test("outside the API are left to whoever mounts it", async ({ api }) => {
    expect((await api.get("/index.html")).text).toContain("Cannot GET /index.html");
  });
});

describe("cross-origin", () => {
  test("a preflight is answered 204 to anybody, before any token is asked for", async ({ api }) => {
    const headers = {
      origin: "https://shop.example",
      "access-control-request-method": "POST",
      "access-control-request-headers": "authorization,content-type",
    };
    for (const path of [`/api/${app}/messages`, `/api/v1/${app}/sync`, "/api/anything", "/verify"]) {
      const answer = await api.call("OPTIONS", path, { headers });
      expect([path, answer.status, answer.text]).toEqual([path, 204, ""]);
      expect(answer.headers["access-control-allow-origin"]).toBe("*");
      expect(answer.headers["access-control-allow-headers"]).toBe("authorization,content-type");
    }
  });

  test("answers may be read by every origin, refusals too", async ({ api }) => {
    const path = `/api/${app}/alice/conversations`;
    for (const answer of [
      await api.get(path, api.token("alice")),
      await api.get(path),
      await api.get("/api/x"),
    ]) {
      expect(answer.headers["access-control-allow-origin"]).toBe("*");
      expect(answer.headers["access-control-allow-credentials"]).toBeUndefined();
    }
  });
});

describe("bodies", () => {
  const path = `/api/${app}/messages`;
  const v1 = `/api/v1/${app}/sync`;
  const deep = `${'{"a":'.repeat(40)}1${"}".repeat(40)}`;

  test.for([
    ["broken JSON", "{"],
    ["a JSON string", '"hi"'],
    ["a number", "42"],
  ] as const)("%s is 400", async ([_what, raw], { api }) => {
    const token = api.token("alice");

    const old = await api.call("POST", path, { token, raw });
    const problem = await api.call("POST", v1, { token, raw });

    expect([old.status, old.headers["content-type"]]).toEqual([400, "text/html; charset=utf-8"]);
    expect(old.text).not.toMatch(/SyntaxError|at .*\.js/);
    expect([problem.status, problem.json.code]).toEqual([400, "bad_request"]);
  });

  test("more than 100 kB is 413", async ({ api }) => {
    const token = api.token("alice");
    const raw = JSON.stringify(oldMessage("bob", "x".repeat(103_000)));

    const old = await api.call("POST", path, { token, raw });
    const problem = await api.call("POST", v1, { token, raw });

    expect([old.status, old.headers["content-type"]]).toEqual([413, "text/html; charset=utf-8"]);
    expect([problem.status, problem.json.code]).toEqual([413, "payload_too_large"]);
  });

  test("a message of more than 100 KiB is 413 on both", async ({ api }) => {
    const token = api.token("alice");
    const text = "x".repeat(110_000);

    const old = await api.post(path, token, oldMessage("bob", text));
    const problem = await api.post(`/api/v1/${app}/conversations/bob/messages`, token, { text });

    expect(old.status).toBe(413);
    expect([problem.status, problem.json.code]).toEqual([413, "payload_too_large"]);
  });

  test.for([
    ["nesting beyond 32 levels", deep],
    ["a __proto__ key", '{"__proto__":{"a":1}}'],
    ["a __proto__ key further in", '{"more":[{"__proto__":{"a":1}}]}'],
    ["__proto__ as an id", '{"cursor":"c","__proto__":{"seq":1}}'],
  ] as const)("%s is refused", async ([_what, raw], { api }) => {
    const token = api.token("alice");
    const message = JSON.stringify(oldMessage("bob", "hi")).replace(/}$/, `,"attributes":${raw}}`);

    const problem = await api.call("POST", v1, { token, raw });
    const old = await api.call("POST", path, { token, raw: message });

    expect([problem.status, problem.json.code]).toEqual([400, "bad_request"]);
    expect(old.status).toBe(405);
    expect(({} as Record<string, unknown>)["a"]).toBeUndefined();
  });

  test("an array is refused", async ({ api }) => {
    const token = api.token("alice");

    expect((await api.call("POST", v1, { token, raw: "[]" })).status).toBe(400);
    expect((await api.call("POST", path, { token, raw: "[]" })).status).toBe(405);
  });

  test("__proto__ is nobody's member id", async ({ api }) => {
    const raw = '{"group_name":"T","group_members":{"__proto__":1}}';

    expect((await api.call("POST", `/api/${app}/groups`, { token: api.token("alice"), raw })).status).toBe(
      405,
    );
  });

  test("another content type is refused by v1, so that no body counts as an empty one", async ({ api }) => {
    const { token, tokenId } = api.tokens.issue({ app, user: "alice" });
    const answer = await api.call("POST", `/api/v1/${app}/users/alice/tokens/revoke`, {
      token,
      raw: JSON.stringify({ token_id: tokenId }),
      headers: { "content-type": "text/plain" },
    });

    expect([answer.status, answer.json.code]).toEqual([415, "unsupported_media_type"]);
    expect((await api.get(`/api/v1/${app}/conversations`, token)).status).toBe(200);
  });

  test("a path that cannot be decoded is 400", async ({ api }) => {
    for (const bad of [`/api/${app}/%ZZ/conversations`, `/api/v1/${app}/users/%ZZ`]) {
      const answer = await api.get(bad, api.token("alice"));
      expect(answer.status).toBe(400);
      expect(answer.text).not.toMatch(/at .*\.js/);
    }
  });
});

test("answers carry safe headers and a request id, and say nothing of what runs here", async ({ api }) => {
  const answer = await api.call("GET", `/api/v1/${app}/conversations`, {
    token: api.token("alice"),
    headers: { "x-request-id": "abc-1" },
  });
  const forged = await api.call("GET", "/healthz", { headers: { "x-request-id": "a b{}" } });

  expect(answer.headers).toMatchObject({
    "x-request-id": "abc-1",
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none';frame-ancestors 'none'",
  });
  expect(answer.headers["x-powered-by"]).toBeUndefined();
  expect(forged.headers["x-request-id"]).toMatch(/^[0-9a-f-]{36}$/);
});
