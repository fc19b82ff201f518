import { describe, expect } from "vitest";
import { type Caller, fullPath, type Route } from "../src/route.ts";
import { routesFor } from "../src/routes.ts";
import { test } from "./api.fixture.ts";
import { type Api, app } from "./start-api.ts";

/** Alice and Bob talk, in `group-1` too, which is Alice's. Mallory talks to nobody. */
async function inhabit(api: Api): Promise<void> {
  const alice = api.token("alice");
  await api.put(`/api/v1/${app}/users/alice`, alice, { fullname: "Alice" });
  const created = await api.post(`/api/${app}/groups`, alice, {
    group_id: "group-1",
    group_name: "Team",
    group_members: { alice: 1, bob: 1 },
  });
  expect(created.status).toBe(201);
  const sent = await api.post(`/api/v1/${app}/conversations/bob/messages`, alice, { text: "hi" });
  expect(sent.status).toBe(201);
}

const segments: Readonly<Record<string, string>> = {
  app,
  user: "alice",
  group: "group-1",
  conversWith: "group-1",
  // Removing oneself is everybody's right, so it is somebody else who is removed.
  member: "bob",
  instance: "fcm-token:1",
  endpoint: "push-secret",
};

/** An admin, who is no member of this group, names whose view it wants. */
function pathOf(route: Route, who: Who): string {
  const path = pathFor(route);
  return route.who === "reader" && who === "an admin" ? `${path}?user=alice` : path;
}

function pathFor(route: Route): string {
  const path = fullPath(route, "/api").replace(/\{(\w+)\}/g, (_match, name: string) => segments[name] ?? "");
  return route.example?.query === undefined ? path : `${path}?${route.example.query}`;
}

function request(api: Api, route: Route, who: Who, token: string | undefined) {
  return api.call(route.method.toUpperCase(), pathOf(route, who), {
    ...(token === undefined ? {} : { token }),
    ...(route.example?.body === undefined ? {} : { body: route.example.body }),
  });
}

/** Everything durable, as text. */
function durable(api: Api): string {
  return JSON.stringify(api.disk, (_key, value) => {
    if (value instanceof Map) return [...value];
    return value instanceof Set ? [...value] : value;
  });
}

const tokens = {
  "no token": () => undefined,
  "a broken token": () => "not.a.token",
  "an expired token": (api: Api) => api.token("alice", { issuedAt: 1_000_000_000_000 }),
  "a revoked token": async (api: Api) => {
    const { token, tokenId } = api.tokens.issue({ app, user: "alice" });
    await api.verifier.revoke({ app, user: "alice", tokenId });
    return token;
  },
  "another app": (api: Api) => api.token("alice", { app: "other" }),
  "an admin of another app": (api: Api) => api.token("100-APIADMIN", { app: "other", admin: true }),
  "an outsider": (api: Api) => api.token("mallory"),
  "a member": (api: Api) => api.token("bob"),
  "the user": (api: Api) => api.token("alice"),
  "an admin": (api: Api) => api.admin(),
} as const;

type Who = keyof typeof tokens;

const nobody: readonly Who[] = ["no token", "a broken token", "an expired token", "a revoked token"];
const foreigners: readonly Who[] = ["another app", "an admin of another app"];

/** Who is let in, for each kind of caller in the table. `conversWith` is a group here, so members are its members. */
const welcome: Readonly<Record<Caller, readonly Who[]>> = {
  public: Object.keys(tokens) as Who[],
  local: [],
  token: [...foreigners, "an outsider", "a member", "the user", "an admin"],
  app: ["an outsider", "a member", "the user", "an admin"],
  self: ["the user", "an admin"],
  member: ["a member", "the user", "an admin"],
  reader: ["a member", "the user", "an admin"],
  owner: ["the user", "an admin"],
  admin: ["an admin"],
};

/** Where the rules are finer than the table's word for them. */
const exceptions: Readonly<Record<string, readonly Who[]>> = {
  // A stranger's profile looks like no profile.
  getUser: ["a member", "the user", "an admin"],
  // Members remove only themselves; Bob is removed here.
  removeGroupMember: ["a member", "the user", "an admin"],
  deleteGroupMember: ["a member", "the user", "an admin"],
};

const routes = routesFor({ signInKey: null });

describe.each(routes.map((route) => [route.id, route] as const))("%s", (_id, route) => {
  const allowed = exceptions[route.id] ?? welcome[route.who];

  test.for(Object.keys(tokens) as Who[])("%s", async (who, { api }) => {
    await inhabit(api);
    const token = await tokens[who](api);
    const before = durable(api);

    const answer = await request(api, route, who, token);

    if (allowed.includes(who)) {
      expect(Object.keys(route.answers)).toContain(String(answer.status));
      expect(answer.status).toBeLessThan(300);
      return;
    }
    expect(durable(api)).toBe(before);
    if (nobody.includes(who)) {
      expect(answer.status).toBe(route.api === "v0" ? 403 : 401);
      expect(answer.json).toMatchObject(
        route.api === "v0"
          ? { success: false, msg: "Unauthorized." }
          : {
              code:
                who === "an expired token"
                  ? "token_expired"
                  : who === "a revoked token"
                    ? "token_revoked"
                    : "unauthorized",
            },
      );
      return;
    }
    expect([401, 403, 404, 405]).toContain(answer.status);
    if (route.api === "v1") expect(["forbidden", "not_found", "not_member"]).toContain(answer.json.code);
    if (route.api === "v0" && foreigners.includes(who)) expect(answer.status).toBe(401);
  });
});

test("what is durable is seen to change, so that an unchanged one means something", async ({ api }) => {
  const before = durable(api);

  await inhabit(api);

  expect(durable(api).length).toBeGreaterThan(before.length + 500);
});

/** By segment: what is no id, percent-encoded. A person's id may be any text, but not too long nor another's wire form. */
const noIds: Readonly<Record<string, readonly string[]>> = {
  group: ["a.b", "a%2Fb", "a%2Ab", "a%23b", "a%2Bb", "%24a", "a%00b", "%C3%A4", "x".repeat(129), "a%20b"],
  member: ["x".repeat(129), "%C3%A4".repeat(22), "a.group-b"],
  conversWith: ["x".repeat(129), "%C3%A4".repeat(22), "a.group-b"],
};

test.for(Object.entries(noIds))(
  "every path with a %s refuses what is no id",
  async ([segment, bad], { api }) => {
    const admin = api.admin();
    for (const route of routes.filter(({ path }) => path.includes(`{${segment}}`))) {
      for (const id of route.api === "v1" && segment !== "group" ? [...bad, "a%5E2Eb"] : bad) {
        const path = fullPath(route, "/api")
          .replaceAll(`{${segment}}`, id)
          .replace(/\{(\w+)\}/g, (_match, name: string) => segments[name] ?? "");
        const answer = await api.call(route.method.toUpperCase(), path, {
          token: admin,
          body: route.example?.body ?? {},
        });
        expect(answer.status, `${route.id} ${id}`).toBe(route.api === "v0" ? 405 : 400);
      }
    }
  },
);
