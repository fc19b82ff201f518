import { expect, test } from "vitest";
import { type Api, app, type Call, startApi } from "./start-api.ts";

const path = `/api/v1/${app}/signin/development`;

const signInKey = "the-key-of-this-server";

async function withApi(
  run: (api: Api) => Promise<void>,
  { key = signInKey }: { readonly key?: string | null } = {},
): Promise<void> {
  const api = await startApi({ config: { signInKey: key, apps: [app] } });
  await run(api).finally(() => api.close());
}

const signIn = (api: Api, body: object, call: Call = {}) =>
  api.call("POST", path, { body: { key: signInKey, ...body }, ...call });

test("a name and the key of the printed address are enough: a strict token that works, and a user with that name", () =>
  withApi(async (api) => {
    const answer = await signIn(api, { user: "alice", fullname: "Alice" });

    expect(answer.status).toBe(201);
    expect(answer.json).toMatchObject({ user: "alice", fullname: "Alice", client_id: expect.any(String) });
    expect(api.tokens.verify(answer.json.token)).toMatchObject({
      admin: false,
      profile: "strict",
      user: "alice",
    });
    const profile = await api.get(`/api/v1/${app}/users/alice`, answer.json.token);
    expect(profile.json).toMatchObject({ id: "alice", fullname: "Alice" });
  }));

test("signing in again keeps the rest of the profile, and the name unless another is given", () =>
  withApi(async (api) => {
    await api.put(`/api/v1/${app}/users/alice`, api.admin(), { fullname: "Alice", email: "a@example.org" });

    const same = await signIn(api, { user: "alice" });
    const renamed = await signIn(api, { user: "alice", fullname: "Alice B" });

    expect([same.json.fullname, renamed.json.fullname]).toEqual(["Alice", "Alice B"]);
    const profile = await api.get(`/api/v1/${app}/users/alice`, api.admin());
    expect(profile.json).toMatchObject({ fullname: "Alice B", email: "a@example.org" });
  }));

test("where it is switched off there is no such path", () =>
  withApi(
    async (api) => {
      const answer = await signIn(api, { user: "alice" });
      const unknown = await api.post(`/api/v1/${app}/signin/other`, undefined, { user: "alice" });

      expect([answer.status, answer.text]).toEqual([404, unknown.text]);
    },
    { key: null },
  ));

test.each([
  ["by a name that somebody points at 127.0.0.1", () => ({ host: "evil.example:80" })],
  ["by our port under another name", (port: number) => ({ host: `evil.example:${port}` })],
  ["by a loopback name with another port", () => ({ host: "localhost:1" })],
  ["by a loopback name without our port", () => ({ host: "localhost" })],
  ["from a page elsewhere", () => ({ origin: "https://evil.example" })],
  ["from a page on another port of this machine", () => ({ origin: "http://localhost:3000" })],
  ["from a page without an origin", () => ({ origin: "null" })],
  ["through a proxy", () => ({ "x-forwarded-for": "10.0.0.1" })],
  ["through another proxy", () => ({ forwarded: "for=10.0.0.1" })],
])("called %s it is not there", (_how, headersOf) =>
  withApi(async (api) => {
    const headers = headersOf(api.port) as unknown as Record<string, string>;

    const answer = await signIn(api, { user: "alice" }, { headers });

    expect([answer.status, answer.json.code]).toEqual([404, "not_found"]);
    expect(answer.headers["access-control-allow-origin"]).toBeUndefined();
    expect(await api.store.users.get(app, "alice")).toBeNull();
  }),
);

test.each([
  (port: number) => ({ host: `localhost:${port}`, origin: `http://localhost:${port}` }),
  (port: number) => ({ host: `127.0.0.1:${port}`, origin: `http://127.0.0.1:${port}` }),
  (port: number) => ({ host: `[::1]:${port}` }),
])("our own page may call it", (headersOf) =>
  withApi(async (api) => {
    const headers = headersOf(api.port) as Record<string, string>;

    expect((await signIn(api, { user: "alice" }, { headers })).status).toBe(201);
  }),
);

test.each([[undefined], [""], ["the-key-of-this-serve"], ["another"]])(
  "with the key %j nobody is signed in, whatever the request looks like",
  (key) =>
    withApi(async (api) => {
      const headers = { host: `127.0.0.1:${api.port}` };

      const answer = await signIn(api, { user: "alice", key }, { headers });

      expect([answer.status, answer.json.code]).toEqual([403, "forbidden"]);
      expect(await api.store.users.get(app, "alice")).toBeNull();
    }),
);

test("no page of another origin gets leave to call it", () =>
  withApi(async (api) => {
    const headers = { origin: "https://evil.example", "access-control-request-method": "POST" };

    const preflight = await api.call("OPTIONS", path, { headers });

    expect(preflight.status).toBe(404);
    expect(preflight.headers["access-control-allow-origin"]).toBeUndefined();
  }));

test("neither system, nor what is no id, nor an app that is not served", () =>
  withApi(async (api) => {
    expect((await signIn(api, { user: "system" })).json.code).toBe("invalid_id");
    for (const user of ["a^2Eb", "", "..", 5, null]) {
      expect((await signIn(api, { user })).json.code).toBe("bad_request");
    }
    const other = await api.post("/api/v1/other/signin/development", undefined, { user: "alice" });
    expect(other.json.code).toBe("not_found");
    expect(await api.store.users.list("other", 10)).toEqual([]);
  }));

test("too many sign-ins of one address are held up", async () => {
  const rateLimits = { requests: 100, signIns: 2, authFailures: 100 };
  const api = await startApi({ config: { signInKey, rateLimits } });

  for (let n = 0; n < 2; n++) expect((await signIn(api, { user: "alice" })).status).toBe(201);

  expect((await signIn(api, { user: "alice" })).json.code).toBe("rate_limited");
  await api.close();
});
