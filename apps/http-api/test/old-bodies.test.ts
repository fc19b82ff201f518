import { describe, expect } from "vitest";
import { test } from "./api.fixture.ts";
import { type Api, app, oldMessage } from "./start-api.ts";

/** Statuses and bodies of the existing API, byte for byte. */

const done = '{"success":true}';

async function withGroup(api: Api): Promise<string> {
  const alice = api.token("alice");
  await api.post(`/api/${app}/groups`, alice, {
    group_id: "group-1",
    group_name: "Team",
    group_members: { bob: 1 },
  });
  return alice;
}

test("the greeting, the version and the claims", async ({ api }) => {
  const alice = api.token("alice");

  const greeting = await api.get("/");
  const info = await api.get(`/api/${app}/getInfo`, alice);
  const claims = await api.get("/verify", alice);

  expect([greeting.status, greeting.text]).toEqual([200, "Chat21 Http Server v. 0.1.2"]);
  expect([info.status, info.text]).toEqual([200, '{"v":"0.2.34.2"}']);
  expect(claims.json).toMatchObject({ sub: "alice", app_id: app, aud: ["rabbitmq", "alice"] });
  expect((await api.get("/verify")).text).toBe('{"success":false,"msg":"Unauthorized."}');
});

describe("sending a message", () => {
  test("answers with nothing but success, and the numbers in headers", async ({ api }) => {
    const answer = await api.post(`/api/${app}/messages`, api.token("alice"), oldMessage("bob", "hi"));

    expect([answer.status, answer.text]).toEqual([200, done]);
    expect(answer.headers["content-type"]).toBe("application/json; charset=utf-8");
    expect(answer.headers["x-chat21-seq"]).toBe("1");
    expect(answer.headers["x-chat21-epoch"]).toBe(api.store.epoch);
    expect(answer.headers["x-chat21-message-id"]).toMatch(/^[0-9a-f-]{36}$/);
  });

  test.for([
    [{ sender_fullname: undefined }, "Sender Fullname is mandatory"],
    [{ sender_fullname: "" }, "Sender Fullname is mandatory"],
    [{ sender_fullname: { toString: 1 } }, "Sender Fullname is mandatory"],
    [{ recipient_id: undefined }, "Recipient id is mandatory"],
    [{ recipient_id: ["bob"] }, "Recipient id is mandatory"],
    [{ recipient_fullname: null }, "Recipient Fullname is mandatory"],
    [{ client_message_id: "a/b" }, "client_message_id is not valid!"],
  ] as const)("%j is refused as %s", async ([more, text], { api }) => {
    const answer = await api.post(`/api/${app}/messages`, api.token("alice"), oldMessage("bob", "hi", more));

    expect([answer.status, answer.text]).toEqual([405, text]);
  });

  test("the first missing field is named, in the order of the existing API", async ({ api }) => {
    const answer = await api.post(`/api/${app}/messages`, api.token("alice"));

    expect([answer.status, answer.text]).toEqual([405, "Sender Fullname is mandatory"]);
  });

  test("a recipient that is no id is refused", async ({ api }) => {
    const answer = await api.post(`/api/${app}/messages`, api.token("alice"), oldMessage("..", "hi"));

    expect(answer.status).toBe(405);
  });

  test("sender_id is heeded for admins only", async ({ api }) => {
    await api.post(
      `/api/${app}/messages`,
      api.token("mallory"),
      oldMessage("bob", "mine", { sender_id: "alice" }),
    );
    await api.post(`/api/${app}/messages`, api.admin(), oldMessage("bob", "hers", { sender_id: "alice" }));

    const of = async (other: string) =>
      (await api.get(`/api/${app}/bob/conversations/${other}/messages`, api.token("bob"))).json.result;
    expect(await of("mallory")).toMatchObject([{ text: "mine", sender: "mallory" }]);
    expect(await of("alice")).toMatchObject([{ text: "hers", sender: "alice" }]);
  });

  test("what is not listed is left out, an inline group above all", async ({ api }) => {
    const more = {
      group: { members: { victim: 1 } },
      extra: 1,
      attributes: null,
      metadata: "",
      timestamp: 0,
    };
    await api.post(`/api/${app}/messages`, api.token("alice"), oldMessage("support-group-x", "hi", more));

    const { json } = await api.get(
      `/api/${app}/alice/conversations/support-group-x/messages`,
      api.token("alice"),
    );
    const victim = await api.get(`/api/${app}/victim/conversations`, api.token("victim"));

    expect(Object.keys(json.result[0])).not.toEqual(expect.arrayContaining(["group"]));
    for (const key of ["extra", "attributes", "metadata"]) expect(json.result[0]).not.toHaveProperty(key);
    expect(json.result[0].timestamp).toBeGreaterThan(0);
    expect(victim.json.result).toEqual([]);
  });

  test("the same client_message_id is stored once; with another body it is refused", async ({ api }) => {
    const alice = api.token("alice");
    const send = (text: string) =>
      api.post(`/api/${app}/messages`, alice, oldMessage("bob", text, { client_message_id: "key-1" }));

    const [first, again, other] = [await send("hi"), await send("hi"), await send("else")];

    expect(again.text).toBe(done);
    expect(again.headers["x-chat21-message-id"]).toBe(first.headers["x-chat21-message-id"]);
    expect([other.status, other.json.success]).toEqual([409, false]);
    const { json } = await api.get(`/api/${app}/bob/conversations/alice/messages`, api.token("bob"));
    expect(json.result).toHaveLength(1);
  });

  test("a stranger's message to a group is refused", async ({ api }) => {
    await withGroup(api);

    const answer = await api.post(`/api/${app}/messages`, api.token("mallory"), oldMessage("group-1", "hi"));

    expect([answer.status, answer.text]).toEqual([401, '{"success":false,"err":"Permission denied"}']);
  });

  test("sync answers with the sender's own copy and opens nothing", async ({ api }) => {
    const path = `/api/${app}/messages/sync?mqtt_endpoint=ws://127.0.0.1:1&chatapi_endpoint=http://127.0.0.1:1`;

    const answer = await api.post(path, api.token("alice"), oldMessage("bob", "hi"));

    expect(answer.status).toBe(200);
    expect(answer.json).toMatchObject({
      success: true,
      message: { text: "hi", sender: "alice", recipient: "bob", status: 100, seq: 1 },
    });
  });
});

describe("groups", () => {
  test("creating needs a name and an object of members", async ({ api }) => {
    const alice = api.token("alice");
    const create = (body: object) => api.post(`/api/${app}/groups`, alice, body);

    expect((await create({})).text).toBe("group_name not present!");
    expect((await create({ group_name: "T" })).text).toBe("group_members not present!");
    expect((await create({ group_name: "T", group_members: ["bob"] })).text).toBe(
      "group_members not present!",
    );
    expect((await create({ group_name: { a: 1 }, group_members: {} })).text).toBe("group_name not present!");
    expect((await create({ group_name: "T", group_members: { "..": 1 } })).status).toBe(405);
    expect((await create({ group_name: "T", group_members: {}, group_id: "a/b" })).status).toBe(405);
  });

  test("creating answers the group, without _id, with a generated id where none is given", async ({
    api,
  }) => {
    const answer = await api.post(`/api/${app}/groups`, api.token("alice"), {
      group_name: "Team",
      group_members: { bob: 1 },
      attributes: { a: 1 },
    });

    expect(answer.status).toBe(201);
    expect(answer.json).toEqual({
      success: true,
      group: {
        uid: expect.stringMatching(/^group-[0-9a-f-]{36}$/),
        appId: app,
        name: "Team",
        owner: "alice",
        members: { alice: 1, bob: 1 },
        createdOn: expect.any(Number),
        updatedOn: expect.any(Number),
        attributes: { a: 1 },
      },
    });
  });

  test("an existing group cannot be taken over; its owner's repetition is answered alike", async ({
    api,
  }) => {
    await withGroup(api);
    const create = (token: string, name: string) =>
      api.post(`/api/${app}/groups`, token, {
        group_id: "group-1",
        group_name: name,
        group_members: { bob: 1 },
      });

    const stolen = await create(api.token("mallory"), "Mine");
    const repeated = await create(api.token("alice"), "Team");
    const changed = await create(api.token("alice"), "Other");

    expect([stolen.status, stolen.text]).toEqual([405, '{"success":false,"err":"Group already exists"}']);
    expect(repeated.status).toBe(201);
    expect([changed.status, changed.text]).toEqual([405, '{"success":false,"err":"Group already exists"}']);
  });

  test("reading is for members", async ({ api }) => {
    await withGroup(api);
    const read = (group: string, user: string) => api.get(`/api/${app}/groups/${group}`, api.token(user));

    const denied = await read("group-1", "mallory");
    const missing = await read("group-2", "alice");

    expect([denied.status, denied.text]).toEqual([401, '{"success":false,"err":"Permission denied"}']);
    expect([missing.status, missing.text]).toEqual([404, '{"success":false,"err":"Group doesn\'t exist"}']);
  });

  test("joining", async ({ api }) => {
    const alice = await withGroup(api);
    const join = (token: string, body?: object, group = "group-1") =>
      api.post(`/api/${app}/groups/${group}/members`, token, body);
    const refused = (err: object) => [405, JSON.stringify({ success: false, err, http_status: 405 })];
    const shown = async (answer: ReturnType<typeof join>) => [(await answer).status, (await answer).text];

    expect(await shown(join(alice))).toEqual([405, "member_id is mandatory!"]);
    expect(await shown(join(alice, { member_id: { a: 1 } }))).toEqual([405, "member_id is mandatory!"]);
    expect(await shown(join(alice, { member_id: "carol" }))).toEqual([200, done]);
    expect(await shown(join(alice, { member_id: "carol" }))).toEqual(
      refused({ success: false, err: "Already a member", http_status: 401 }),
    );
    expect(await shown(join(api.token("bob"), { member_id: "dave" }))).toEqual(
      refused({ success: false, err: "Not allowed" }),
    );
    expect(await shown(join(alice, { member_id: "dave" }, "group-2"))).toEqual(
      refused({ success: false, err: "Not found", http_status: 404 }),
    );
    expect(await shown(join(api.token("alice", { app: "other" }), { member_id: "dave" }))).toEqual([401, ""]);
  });

  test("setting the members", async ({ api }) => {
    const alice = await withGroup(api);
    const set = async (token: string, body?: object, group = "group-1") => {
      const { status, text } = await api.put(`/api/${app}/groups/${group}/members`, token, body);
      return [status, text];
    };
    const members = { alice: 1, bob: 1 };

    expect(await set(alice)).toEqual([405, "members is mandatory"]);
    expect(await set(alice, { members: ["bob"] })).toEqual([405, "members is mandatory"]);
    expect(await set(alice, { members })).toEqual([
      405,
      '{"err":{"message":"Same members in group, skipping setGroupMembers()"}}',
    ]);
    expect(await set(api.token("bob"), { members: { bob: 1 } })).toEqual([
      405,
      '{"err":{"message":"Unauthorized"}}',
    ]);
    expect(await set(alice, { members }, "group-2")).toEqual([405, '{"err":{"message":"Not found"}}']);
    expect(await set(alice, { members: { ...members, carol: 1 } })).toEqual([200, done]);
  });

  test("leaving and removing", async ({ api }) => {
    const alice = await withGroup(api);
    const remove = async (token: string, member: string, group = "group-1") => {
      const { status, text } = await api.delete(`/api/${app}/groups/${group}/members/${member}`, token);
      return [status, text];
    };
    const refused = [405, '{"success":false,"err":"Not found","http_status":404}'];

    expect(await remove(alice, "nobody")).toEqual(refused);
    expect(await remove(alice, "bob", "group-2")).toEqual(refused);
    expect(await remove(api.token("mallory"), "bob")).toEqual(refused);
    expect(await remove(api.token("bob"), "alice")).toEqual(refused);
    expect(await remove(api.token("bob"), "bob")).toEqual([200, done]);
    expect(await remove(alice, "bob")).toEqual(refused);
  });

  test("renaming and attributes", async ({ api }) => {
    const alice = await withGroup(api);
    const put = async (path: string, token: string, body?: object) => {
      const { status, text } = await api.put(`/api/${app}/groups/${path}`, token, body);
      return [status, text];
    };

    expect(await put("group-1", alice)).toEqual([405, "group_name is mandatory"]);
    expect(await put("group-1", api.token("bob"), { group_name: "X" })).toEqual([
      405,
      '{"err":{"message":"Unauthorized"}}',
    ]);
    expect(await put("group-2", alice, { group_name: "X" })).toEqual([
      405,
      '{"err":{"message":"Not found"}}',
    ]);
    expect(await put("group-1", alice, { group_name: "X" })).toEqual([200, done]);
    expect(await put("group-1/attributes", alice)).toEqual([405, "attributes is mandatory"]);
    expect(await put("group-1/attributes", alice, { attributes: "x" })).toEqual([
      405,
      "attributes is mandatory",
    ]);
    expect(await put("group-1/attributes", alice, { attributes: { color: "blue" } })).toEqual([200, done]);
    const { json } = await api.get(`/api/${app}/groups/group-1`, alice);
    expect(json.result).toMatchObject({ name: "X", attributes: { color: "blue" } });
    expect(json.result).not.toHaveProperty("notification");
  });
});

describe("conversations", () => {
  test("somebody else's are not shown, whatever the list", async ({ api }) => {
    await api.post(`/api/${app}/messages`, api.token("alice"), oldMessage("bob", "secret"));
    const mallory = api.token("mallory");
    const paths = [
      "conversations",
      "conversations/archived",
      "archived_conversations",
      "conversations/bob",
      "archived_conversations/bob",
      "conversations/bob/messages",
    ];

    for (const path of paths) {
      const answer = await api.get(`/api/${app}/alice/${path}`, mallory);
      expect([path, answer.status, answer.text]).toEqual([path, 401, ""]);
    }
    expect((await api.get(`/api/${app}/alice/conversations`, api.admin())).json.result).toHaveLength(1);
  });

  test("an admin archives for the user in the body; everybody else only for oneself", async ({ api }) => {
    await api.post(`/api/${app}/messages`, api.token("alice"), oldMessage("bob", "hi"));
    const archived = async () =>
      (await api.get(`/api/${app}/bob/archived_conversations`, api.token("bob"))).json.result.length;

    const mallory = await api.delete(`/api/${app}/conversations/alice`, api.token("mallory"), {
      user_id: "bob",
    });
    expect([mallory.status, await archived()]).toEqual([201, 0]);

    const admin = await api.delete(`/api/${app}/conversations/alice`, api.admin(), { user_id: "bob" });
    expect([admin.status, admin.text, await archived()]).toEqual([201, done, 1]);
  });

  test("bulk deletes are for admins and keep the numbers", async ({ api }) => {
    const alice = await withGroup(api);
    await api.post(`/api/${app}/messages`, alice, oldMessage("group-1", "one"));
    const remove = (what: string, token: string) =>
      api.delete(`/api/${app}/group-1/${what}/timelines`, token);
    const unauthorized = [403, '{"success":false,"msg":"Unauthorized."}'];

    for (const what of ["messages", "conversations"]) {
      const answer = await remove(what, alice);
      expect([answer.status, answer.text]).toEqual(unauthorized);
    }
    expect((await remove("conversations", api.admin())).text).toBe(done);
    expect((await api.get(`/api/${app}/alice/conversations`, alice)).json.result).toEqual([]);
    expect((await remove("messages", api.admin())).text).toBe(done);
    expect((await api.get(`/api/${app}/alice/conversations/group-1/messages`, alice)).json.result).toEqual(
      [],
    );

    await api.post(`/api/${app}/messages`, alice, oldMessage("group-1", "two"));
    const { json } = await api.get(`/api/${app}/alice/conversations/group-1/messages`, alice);
    expect(json.result).toHaveLength(1);
    expect(json.result[0].seq).toBeGreaterThan(4);
  });

  test("lists take limit, before and after", async ({ api }) => {
    for (const text of ["m1", "m2", "m3", "m4"]) {
      await api.post(`/api/${app}/messages`, api.token("alice"), oldMessage("bob", text));
    }
    const page = async (query: string) => {
      const path = `/api/${app}/bob/conversations/alice/messages?${query}`;
      return (await api.get(path, api.token("bob"))).json.result.map(({ text }: { text: string }) => text);
    };

    expect(await page("limit=2")).toEqual(["m4", "m3"]);
    expect(await page("limit=2&before=3")).toEqual(["m2", "m1"]);
    expect(await page("limit=2&after=1")).toEqual(["m3", "m2"]);
    expect(await page("after=4")).toEqual([]);
    for (const query of [
      "limit=0",
      "limit=1001",
      "limit=x",
      "limit=1e2",
      "limit=",
      "before=-1",
      "limit=1&limit=2",
    ]) {
      const answer = await api.get(`/api/${app}/bob/conversations?${query}`, api.token("bob"));
      expect([query, answer.status]).toEqual([query, 405]);
      expect(answer.text).toMatch(/^(limit|before) is not valid!$/);
    }
  });
});

describe("the rest", () => {
  test("a push registration is one's own", async ({ api }) => {
    const path = `/api/${app}/alice/instances/dGVzdA:APA91b`;
    const data = { device_model: "Browser", language: "en", platform: "ionic", platform_version: "3" };

    const saved = await api.post(path, api.token("alice"), data);
    const denied = await api.post(path, api.token("mallory"), data);

    expect([saved.status, saved.text]).toEqual([200, done]);
    expect([denied.status, denied.text]).toEqual([401, "Unauthorized."]);
    expect(await api.store.instances.list(app, "alice")).toMatchObject([{ instanceId: "dGVzdA:APA91b" }]);
  });

  test.for([
    ["PUT", "typings/group-1"],
    ["DELETE", "typings/group-1"],
    ["DELETE", "typings/bob"],
    ["POST", "contacts"],
    ["PUT", "contacts/me"],
  ] as const)("%s %s is answered cheaply", async ([method, path], { api }) => {
    const answer = await api.call(method, `/api/${app}/${path}`, {
      token: api.token("alice"),
      body: { a: 1 },
    });

    expect([answer.status, answer.text]).toEqual([200, done]);
  });

  test("typing of a backend's agents reaches the conversation; a user types for nobody else", async ({
    api,
  }) => {
    const bob = await api.edge.connect({ clientId: "bob-1", password: api.token("bob") });
    await bob.subscribe(`apps/${app}/users/bob/#`);
    const body = { writer_id: "agent", text: "Hel", timestamp: 1 };
    await api.post(`/api/${app}/groups`, api.token("alice"), {
      group_id: "group-1",
      group_name: "Team",
      group_members: { bob: 1 },
    });
    const typings = `/api/${app}/typings/group-1`;

    await api.call("PUT", typings, { token: api.admin(), body });
    await api.call("PUT", typings, { token: api.token("alice"), body });
    await api.call("PUT", typings, { token: api.token("mallory"), body });
    await api.call("DELETE", typings, { token: api.admin(), body: { writer_id: "agent" } });

    const told = bob.received
      .filter(({ topic }) => topic.endsWith("/ephemeral"))
      .map(({ payload }) => JSON.parse(payload));
    expect(told.map(({ user, typing }) => [user, typing])).toEqual([
      ["agent", true],
      ["alice", true],
      ["agent", false],
    ]);
  });

  test("the push webhook is answered and does nothing, whoever calls it", async ({ api }) => {
    const answer = await api.post(`/api/${app}/push/webhook/endpoint/any`, undefined, {
      event_type: "message-delivered",
    });

    expect([answer.status, answer.text]).toEqual([200, done]);
  });

  test("notify is for admins", async ({ api }) => {
    const denied = await api.post(`/api/${app}/notify`, api.token("alice"), {});
    const accepted = await api.post(`/api/${app}/notify`, api.admin(), {});

    expect([denied.status, denied.text]).toEqual([403, '{"success":false,"msg":"Unauthorized."}']);
    expect([accepted.status, accepted.text]).toEqual([200, done]);
  });

  test("/test is not offered", async ({ api }) => {
    expect((await api.get("/test")).status).toBe(404);
    expect((await api.get("/api/test", api.admin())).status).toBe(404);
  });
});
