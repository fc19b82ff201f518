import { limits } from "@chat21/protocol";
import { describe, expect } from "vitest";
import { test } from "./api.fixture.ts";
import { type Api, app, startApi } from "./start-api.ts";

const users = `/api/v1/${app}/users`;

const claimsOf = (token: string) =>
  JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());

const talk = (api: Api, from: string, to: string) =>
  api.post(`/api/v1/${app}/conversations/${to}/messages`, api.token(from), { text: "hi" });

describe("users", () => {
  test("a profile is put, replaced, read and removed", async ({ api }) => {
    const alice = api.token("alice");

    const made = await api.put(`${users}/alice`, alice, { fullname: "Alice", email: "a@example.org" });
    await api.clock.advance(1_000);
    const replaced = await api.put(`${users}/alice`, alice, {
      fullname: "Alice B",
      attributes: { vip: true },
    });
    const read = await api.get(`${users}/alice`, alice);

    expect([made.status, replaced.status]).toEqual([200, 200]);
    expect(read.json).toEqual({
      id: "alice",
      fullname: "Alice B",
      attributes: { vip: true },
      created_at: made.json.created_at,
      updated_at: made.json.created_at + 1_000,
      presence: "offline",
      last_seen: 0,
    });
    expect((await api.delete(`${users}/alice`, api.admin())).status).toBe(204);
    expect((await api.get(`${users}/alice`, api.admin())).json.code).toBe("not_found");
    expect((await api.delete(`${users}/alice`, api.admin())).status).toBe(204);
  });

  test("removing a user revokes every token and closes the connections", async ({ api }) => {
    const alice = api.token("alice");
    await api.put(`${users}/alice`, alice, {});
    const client = await api.edge.connect({ clientId: "a-1", password: alice });

    await api.delete(`${users}/alice`, api.admin());

    expect((await api.get(`${users}/alice`, alice)).json.code).toBe("token_revoked");
    expect(client.closedBecause).toBe("revoked");
  });

  test("who shares a conversation sees names and presence; strangers see nobody", async ({ api }) => {
    await api.put(`${users}/alice`, api.token("alice"), {
      fullname: "Alice",
      email: "a@example.org",
      attributes: {},
    });
    await api.edge
      .connect({ clientId: "a-1", password: api.token("alice") })
      .then((client) => client.publish(`apps/${app}/users/alice/presence/a-1`, { connected: true }));
    await talk(api, "alice", "bob");

    const bob = await api.get(`${users}/alice`, api.token("bob"));
    const mallory = await api.get(`${users}/alice`, api.token("mallory"));
    const nobody = await api.get(`${users}/nobody`, api.token("mallory"));

    expect(bob.json).toMatchObject({ id: "alice", fullname: "Alice", presence: "online" });
    expect(bob.json).not.toHaveProperty("email");
    expect(bob.json).not.toHaveProperty("attributes");
    expect([mallory.status, mallory.text]).toEqual([nobody.status, nobody.text]);
    expect(mallory.status).toBe(404);
  });

  describe("names", () => {
    const asked = `/api/v1/${app}/names?users=nobody,alice,carol,dave`;

    async function inhabit(api: Api): Promise<void> {
      const profile = { fullname: "Alice", email: "a@example.org", attributes: { vip: true } };
      await api.put(`${users}/alice`, api.token("alice"), profile);
      await api.put(`${users}/carol`, api.token("carol"), { firstname: "Carol", lastname: "Doe" });
      await api.put(`${users}/dave`, api.token("dave"), {});
      await talk(api, "alice", "bob");
    }

    test("of profiles, and nothing else of them, are told to every user of the app", async ({ api }) => {
      await inhabit(api);

      const { json } = await api.get(asked, api.token("mallory"));

      expect(json).toEqual({
        names: [
          { user: "alice", name: "Alice" },
          { user: "carol", name: "Carol Doe" },
        ],
      });
      expect((await api.get(asked, api.token("mallory", { app: "other" }))).status).toBe(403);
      const many = Array.from({ length: 101 }, (_, index) => `u${index}`).join(",");
      expect((await api.get(`/api/v1/${app}/names?users=${many}`, api.token("bob"))).status).toBe(400);
    });

    test("are told only to who shares a conversation, where the setting says so", async () => {
      const api = await startApi({ config: { namesVisible: false } });
      try {
        await inhabit(api);
        const namesFor = async (token: string) => (await api.get(asked, token)).json.names;

        expect(await namesFor(api.token("bob"))).toEqual([{ user: "alice", name: "Alice" }]);
        expect(await namesFor(api.token("mallory"))).toEqual([]);
        expect(await namesFor(api.token("carol"))).toEqual([{ user: "carol", name: "Carol Doe" }]);
        expect(await namesFor(api.admin())).toHaveLength(2);
      } finally {
        await api.close();
      }
    });
  });

  test("a page of large profiles ends at the budget of an answer, and the next one goes on", async ({
    api,
  }) => {
    const text = "x".repeat(limits.bodyBytes - 100);
    const ids = Array.from({ length: 50 }, (_, index) => `u-${String(index).padStart(3, "0")}`);
    for (const id of ids) await api.put(`${users}/${id}`, api.admin(), { attributes: { text } });

    const first = await api.get(`${users}?limit=1000`, api.admin());
    const second = await api.get(`${users}?limit=1000&after=${first.json.next}`, api.admin());

    expect(first.text.length).toBeLessThanOrEqual(limits.answerBytes + 100);
    expect(first.json.users.length).toBeGreaterThan(30);
    expect(second.json.next).toBeNull();
    const found = [...first.json.users, ...second.json.users].map(({ id }: { id: string }) => id);
    expect(found).toEqual(ids);
  });

  test("lists are paged, ascending by id", async ({ api }) => {
    for (const id of ["c", "a", "b"])
      await api.put(`${users}/${id}`, api.admin(), { fullname: id.toUpperCase() });

    const first = await api.get(`${users}?limit=2`, api.admin());
    const second = await api.get(`${users}?limit=2&after=${first.json.next}`, api.admin());

    expect(first.json.users.map(({ id }: { id: string }) => id)).toEqual(["a", "b"]);
    expect(second.json).toMatchObject({ users: [{ id: "c", fullname: "C" }], next: null });
  });

  test("system is nobody's profile, and names are names", async ({ api }) => {
    expect((await api.put(`${users}/system`, api.admin(), {})).json.code).toBe("forbidden");
    expect((await api.put(`${users}/a`, api.admin(), { fullname: { first: "A" } })).json).toMatchObject({
      code: "bad_request",
      detail: expect.stringMatching(/^fullname: /),
    });
  });
});

describe("tokens", () => {
  const issue = (api: Api, user: string, token: string, body: object = {}) =>
    api.post(`${users}/${user}/tokens`, token, body);

  test("an admin gives anybody a strict token, which works", async ({ api }) => {
    const answer = await issue(api, "alice", api.admin());

    expect(answer.status).toBe(201);
    expect(answer.json).toEqual({
      token: expect.any(String),
      token_id: expect.any(String),
      user: "alice",
      client_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      expires_at: api.clock.now() + limits.strictTokenTtlMs,
    });
    expect(answer.headers["cache-control"]).toBe("no-store");
    expect(claimsOf(answer.json.token)).toMatchObject({ profile: "strict", tiledesk_api_roles: "user" });
    expect((await api.get(`/api/v1/${app}/conversations`, answer.json.token)).status).toBe(200);
  });

  test("an admin may choose profile, life and client id, within the limits of the profile", async ({
    api,
  }) => {
    const compat = await issue(api, "alice", api.admin(), { profile: "compat", ttl: 2_592_000 });
    const bound = await issue(api, "alice", api.admin(), { client_id: "phone", ttl: 60 });
    const tooLong = await issue(api, "alice", api.admin(), { ttl: 3_601 });

    expect(claimsOf(compat.json.token)).toMatchObject({ profile: "compat", client_id: "alice" });
    expect(bound.json).toMatchObject({ client_id: "phone", expires_at: api.clock.now() + 60_000 });
    expect([tooLong.status, tooLong.json.code]).toEqual([400, "bad_request"]);
  });

  test("a user renews for itself: strict only, and its own client id or a new one", async ({ api }) => {
    const { token } = api.tokens.issue({ app, user: "alice", clientId: "phone" });

    const same = await issue(api, "alice", token, { client_id: "phone" });
    const fresh = await issue(api, "alice", token);
    const compat = await issue(api, "alice", token, { profile: "compat" });
    const stolen = await issue(api, "alice", token, { client_id: "b" });

    expect(same.json.client_id).toBe("phone");
    expect(fresh.json.client_id).not.toBe("phone");
    expect([compat.status, compat.json.code]).toEqual([403, "forbidden"]);
    expect([stolen.status, stolen.json.code]).toEqual([403, "forbidden"]);
  });

  test("nobody gets a token for somebody else, for system, or an admin's", async ({ api }) => {
    const other = await issue(api, "bob", api.token("alice"));
    const system = await issue(api, "system", api.admin());
    const admin = await issue(api, "alice", api.admin(), { admin: true, tiledesk_api_roles: "admin" });

    expect(other.status).toBe(403);
    expect([system.status, system.json.code]).toEqual([400, "invalid_id"]);
    expect([admin.status, admin.json.code]).toEqual([400, "bad_request"]);
  });

  test("one token is revoked at once, its connection closed, the user's others are not", async ({ api }) => {
    const lost = api.tokens.issue({ app, user: "alice" });
    const kept = api.tokens.issue({ app, user: "alice" });
    const [first, second] = await Promise.all(
      [lost, kept].map(({ token, clientId }) => api.edge.connect({ clientId, password: token })),
    );

    const answer = await api.post(`${users}/alice/tokens/revoke`, kept.token, { token_id: lost.tokenId });

    expect(answer.status).toBe(204);
    expect((await api.get(`/api/v1/${app}/conversations`, lost.token)).json.code).toBe("token_revoked");
    expect((await api.get(`/api/v1/${app}/conversations`, kept.token)).status).toBe(200);
    expect([first?.closedBecause, second?.closedBecause]).toEqual(["revoked", null]);
  });

  test("a token that ends takes its renewals with it, for as long as they would live", async ({ api }) => {
    const first = api.tokens.issue({ app, user: "alice", ttlMs: 60_000 });
    const second = (await issue(api, "alice", first.token)).json;
    const third = (await issue(api, "alice", second.token)).json;
    const client = await api.edge.connect({ clientId: third.client_id, password: third.token });

    await api.post(`${users}/alice/tokens/revoke`, first.token, { token_id: first.tokenId });

    expect(client.closedBecause).toBe("revoked");
    await api.clock.advance(limits.strictTokenTtlMs - 1_000);
    for (const { token } of [second, third]) {
      expect((await api.get(`/api/v1/${app}/conversations`, token)).json.code).toBe("token_revoked");
      expect((await issue(api, "alice", token)).json.code).toBe("token_revoked");
    }
  });

  test("what an admin issues is not of its own family", async ({ api }) => {
    const admin = api.tokens.issue({ app, user: "backend", admin: true });
    const issued = (await issue(api, "alice", admin.token)).json;

    await api.verifier.revoke({ app, user: "alice", tokenId: admin.tokenId });

    expect((await api.get(`/api/v1/${app}/conversations`, issued.token)).status).toBe(200);
  });

  test("all before now are revoked, and a token asked for in the same second works", async ({ api }) => {
    const alice = api.token("alice");
    const client = await api.edge.connect({ clientId: "a-1", password: alice });

    await api.post(`${users}/alice/tokens/revoke`, api.admin(), {});
    const next = await issue(api, "alice", api.admin());

    expect((await api.get(`/api/v1/${app}/conversations`, alice)).status).toBe(401);
    expect(client.closedBecause).toBe("revoked");
    expect((await api.get(`/api/v1/${app}/conversations`, next.json.token)).status).toBe(200);
  });

  test("a body with an unknown key revokes nothing", async ({ api }) => {
    const alice = api.token("alice");

    const answer = await api.post(`${users}/alice/tokens/revoke`, alice, { tokenId: "x" });

    expect([answer.status, answer.json.code]).toEqual([400, "bad_request"]);
    expect((await api.get(`/api/v1/${app}/conversations`, alice)).status).toBe(200);
  });

  test("a token in the query is not for v1", async ({ api }) => {
    expect((await api.get(`/api/v1/${app}/conversations?token=${api.token("alice")}`)).status).toBe(401);
  });

  test("the key set is public", async ({ api }) => {
    for (const path of ["/.well-known/jwks.json", `/api/v1/${app}/jwks`]) {
      expect((await api.get(path)).text).toBe('{"keys":[]}');
    }
  });
});
