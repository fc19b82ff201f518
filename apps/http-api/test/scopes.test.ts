import { createHmac } from "node:crypto";
import { userScopes } from "@chat21/protocol";
import { expect } from "vitest";
import { test } from "./api.fixture.ts";
import { type Api, app } from "./start-api.ts";

const readingAlone = [`rabbitmq.read:*/*/apps.${app}.users.alice.*`];
const otherTopic = [`rabbitmq.read:*/*/apps.${app}.logs.l-1.*`];

/** A token of another issuer with these scopes. */
function tokenWith(api: Api, scope: readonly string[], more: object = {}): string {
  const seconds = Math.floor(api.clock.now() / 1_000);
  const claims = { jti: "t-1", sub: "alice", app_id: app, iat: seconds, exp: seconds + 600, scope, ...more };
  const signed = [{ alg: "HS256", typ: "JWT" }, claims].map(encode).join(".");
  return `${signed}.${createHmac("sha256", "tokenKey").update(signed).digest("base64url")}`;
}

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
const tokensOf = `/api/v1/${app}/users/alice/tokens`;

test.for([
  ["one for reading", readingAlone],
  ["one for another topic", otherTopic],
  ["one that sends", [`rabbitmq.write:*/*/apps.${app}.outgoing.users.alice.*`]],
  ["one for nothing", []],
] as const)("no token is renewed into one with more rights: %s", async ([, scope], { api }) => {
  const answer = await api.post(tokensOf, tokenWith(api, scope), {});

  expect([answer.status, answer.json.code]).toEqual([403, "forbidden"]);
});

test("a token with all of its user's scopes is renewed", async ({ api }) => {
  const answer = await api.post(tokensOf, tokenWith(api, userScopes(app, "alice")), {});

  expect(answer.status).toBe(201);
});

test("a narrow token ends itself, and no others of its user", async ({ api }) => {
  const token = tokenWith(api, readingAlone);

  const others = await api.post(`${tokensOf}/revoke`, token, {});
  const itself = await api.post(`${tokensOf}/revoke`, token, { token_id: "t-1" });

  expect([others.status, others.json.code]).toEqual([403, "forbidden"]);
  expect(itself.status).toBe(204);
  expect((await api.get(`/api/v1/${app}/conversations`, token)).json.code).toBe("token_revoked");
});

test("an admin's token for another topic is no admin's token here", async ({ api }) => {
  const token = tokenWith(api, otherTopic, { tiledesk_api_roles: "admin" });

  expect((await api.get(`/api/v1/${app}/users`, token)).status).toBe(403);
  expect((await api.get(`/api/${app}/bob/conversations`, token)).status).toBe(401);
  expect((await api.post(`/api/v1/${app}/users/bob/tokens`, token, {})).status).toBe(403);
});

test("every good token is told its claims, whatever its scopes", async ({ api }) => {
  const answer = await api.get("/verify", tokenWith(api, otherTopic));

  expect([answer.status, answer.json.sub]).toEqual([200, "alice"]);
});
