import { ChatError, limits } from "@chat21/protocol";
import { expect, test } from "vitest";
import { fixture, headerOf, payloadOf, start } from "./fixtures.ts";

const seconds = start / 1_000;

test("a compat token has exactly the header and claims that existing issuers write, in their order", () => {
  const { tokens } = fixture();

  const { token, tokenId } = tokens.issue({
    app: "tilechat",
    user: "USER1",
    profile: "compat",
    ttlMs: 60_000,
  });

  expect(headerOf(token)).toEqual({ alg: "HS256", typ: "JWT" });
  expect(Object.entries(payloadOf(token))).toEqual([
    ["jti", tokenId],
    ["sub", "USER1"],
    [
      "scope",
      [
        "rabbitmq.read:*/*/apps.tilechat.users.USER1.*",
        "rabbitmq.write:*/*/apps.tilechat.users.USER1.*",
        "rabbitmq.write:*/*/apps.tilechat.outgoing.users.USER1.*",
        "rabbitmq.configure:*/*/*",
      ],
    ],
    ["client_id", "USER1"],
    ["cid", "USER1"],
    ["azp", "USER1"],
    ["user_id", "USER1"],
    ["app_id", "tilechat"],
    ["iat", seconds],
    ["exp", seconds + 60],
    ["aud", ["rabbitmq", "USER1"]],
    ["kid", "tiledesk-key"],
    ["tiledesk_api_roles", "user"],
    ["profile", "compat"],
  ]);
});

test("a strict token binds one client id, opens own topics and queues only, and lives one hour by default", () => {
  const { tokens } = fixture();

  const issued = tokens.issue({ app: "tilechat", user: "USER1" });
  const payload = payloadOf(issued.token);

  expect(issued.clientId).toMatch(/^[0-9a-f-]{36}$/);
  expect(payload["client_id"]).toBe(issued.clientId);
  expect(payload["user_id"]).toBe("USER1");
  expect(payload["profile"]).toBe("strict");
  expect((payload["exp"] as number) - (payload["iat"] as number)).toBe(limits.strictTokenTtlMs / 1_000);
  expect(payload["scope"]).not.toContain("rabbitmq.configure:*/*/*");
});

test("a backend's token has every scope and may live ten years", () => {
  const { tokens } = fixture();
  const tenYearsMs = 10 * 365 * 24 * 60 * 60 * 1_000;

  const issued = tokens.issue({
    app: "tilechat",
    user: "100-APIADMIN",
    admin: true,
    profile: "compat",
    ttlMs: tenYearsMs,
  });

  expect(payloadOf(issued.token)["scope"]).toEqual([
    "rabbitmq.read:*/*/*",
    "rabbitmq.write:*/*/*",
    "rabbitmq.configure:*/*/*",
  ]);
  expect(tokens.verify(issued.token)).toMatchObject({ admin: true, user: "100-APIADMIN", clientId: null });
});

test.each([
  ["a strict token of more than an hour", { ttlMs: limits.strictTokenTtlMs + 1_000 }, "bad_request"],
  [
    "a compat token of more than 30 days",
    { profile: "compat", ttlMs: limits.compatTokenTtlMs + 1_000 },
    "bad_request",
  ],
  ["a life of less than a second", { ttlMs: 999 }, "bad_request"],
  ["a life that is no number", { ttlMs: Number.NaN }, "bad_request"],
  ["the user system", { user: "system" }, "invalid_id"],
  ["a user id that is another's on the wire", { user: "auth0^7C5f7c" }, "invalid_id"],
  ["a user id that is empty", { user: "" }, "invalid_id"],
  ["a user id that is too long", { user: "u".repeat(limits.userIdBytes + 1) }, "invalid_id"],
  ["an empty app id", { app: "" }, "invalid_id"],
  ["a client id with a slash", { clientId: "a/b" }, "invalid_id"],
] as const)("%s is refused with %s", (_title, request, code) => {
  const { tokens } = fixture();

  const issue = () => tokens.issue({ app: "tilechat", user: "A", ...request });

  expect(issue).toThrowError(expect.objectContaining({ name: "ChatError", code }));
});

test("system gets a token only as an admin", () => {
  const { tokens } = fixture();

  const { token } = tokens.issue({ app: "tilechat", user: "system", admin: true });

  expect(tokens.verify(token)).toMatchObject({ user: "system", admin: true });
});

test("every error is a ChatError", () => {
  const { tokens } = fixture();

  expect(() => tokens.issue({ app: "a b", user: "A" })).toThrowError(ChatError);
});
