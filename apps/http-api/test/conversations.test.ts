import { conversationStateSchema, historyResponseSchema, limits, syncResponseSchema } from "@chat21/protocol";
import { describe, expect } from "vitest";
import { test } from "./api.fixture.ts";
import { type Api, app } from "./start-api.ts";

const v1 = `/api/v1/${app}`;

const post = (api: Api, from: string, to: string, message: unknown) =>
  api.post(`${v1}/conversations/${to}/messages`, api.token(from), message);

test("a message is answered with its place", async ({ api }) => {
  const body = { text: "hi", type: "text", client_message_id: "key-1", extra: { kept: [1, 2] } };

  const first = await post(api, "alice", "bob", body);
  const again = await post(api, "alice", "bob", body);
  const other = await post(api, "alice", "bob", { ...body, text: "else" });

  expect(first.status).toBe(201);
  expect(first.json).toMatchObject({ seq: 1, epoch: api.store.epoch, repeated: false });
  expect(first.json.message).toMatchObject({
    ...body,
    message_id: first.json.message_id,
    sender: "alice",
    status: 100,
  });
  expect(again.json).toMatchObject({ message_id: first.json.message_id, seq: 1, repeated: true });
  expect([other.status, other.json]).toMatchObject([409, { code: "idempotency_conflict" }]);
});

test("a message's text goes as it came: numbers, order and unknown keys", async ({ api }) => {
  const raw = '{ "text":"hi", "big":12345678901234567890, "one":1.0, "text2":"\\u00e9" }';

  const answer = await api.call("POST", `${v1}/conversations/bob/messages`, {
    token: api.token("alice"),
    raw,
  });

  expect(answer.status).toBe(201);
  for (const part of ['"big":12345678901234567890', '"one":1.0', '"text2":"\\u00e9"']) {
    expect(answer.text).toContain(part);
  }
});

test.for([
  ["a string", '"hi"', 400],
  ["broken JSON", '{"text":', 400],
  ["nothing", "", 400],
  ["a number as text", '{"text":5}', 400],
] as const)("a message that is %s is refused", async ([_what, raw, status], { api }) => {
  const answer = await api.call("POST", `${v1}/conversations/bob/messages`, {
    token: api.token("alice"),
    raw,
  });

  expect([answer.status, answer.json.code]).toEqual([status, "bad_request"]);
  expect((await api.get(`${v1}/conversations`, api.token("bob"))).json.conversations).toEqual([]);
});

test("an admin sends for somebody, nobody else does", async ({ api }) => {
  const path = `${v1}/conversations/bob/messages?sender=alice`;

  const admin = await api.post(path, api.admin(), { text: "hi" });
  const mallory = await api.post(path, api.token("mallory"), { text: "hi" });

  expect(admin.json.message.sender).toBe("alice");
  expect([mallory.status, mallory.json.code]).toEqual([403, "forbidden"]);
});

test("states say what is unread, newest conversation first, in pages", async ({ api }) => {
  await post(api, "alice", "bob", { text: "one" });
  await api.clock.advance(10);
  await post(api, "carol", "bob", { text: "two" });
  await post(api, "carol", "bob", { text: "three" });
  const bob = api.token("bob");

  const all = await api.get(`${v1}/conversations`, bob);
  const first = await api.get(`${v1}/conversations?limit=1`, bob);
  const [state] = first.json.conversations;
  const second = await api.get(`${v1}/conversations?before=${state.conversation.timestamp}`, bob);

  for (const one of all.json.conversations) expect(conversationStateSchema.safeParse(one).success).toBe(true);
  expect(all.json.epoch).toBe(api.store.epoch);
  expect(all.json.conversations).toMatchObject([
    { conversWith: "carol", head: 2, unread: 2, read: 0 },
    { conversWith: "alice", head: 1, unread: 1, read: 0 },
  ]);
  expect(state.conversWith).toBe("carol");
  expect(second.json.conversations.map(({ conversWith }: { conversWith: string }) => conversWith)).toEqual([
    "alice",
  ]);
});

test("states of the archive and of the active list are told apart", async ({ api }) => {
  await post(api, "alice", "bob", { text: "one" });
  const bob = api.token("bob");
  await api.delete(`/api/${app}/conversations/alice`, bob);

  const archived = await api.get(`${v1}/conversations?archived=true`, bob);
  const active = await api.get(`${v1}/conversations?archived=false`, bob);

  expect(archived.json.conversations).toMatchObject([{ conversWith: "alice", archived: true }]);
  expect(active.json.conversations).toEqual([]);
  expect((await api.get(`${v1}/conversations?archived=yes`, bob)).json.code).toBe("bad_request");
});

test("a conversation is taken out of the archive by its user", async ({ api }) => {
  await post(api, "alice", "bob", { text: "one" });
  const bob = api.token("bob");
  await api.delete(`/api/${app}/conversations/alice`, bob);

  const answer = await api.delete(`${v1}/conversations/alice/archive`, bob);
  const again = await api.delete(`${v1}/conversations/alice/archive`, bob);

  expect([answer.status, answer.json, again.status]).toEqual([200, { archived: false }, 200]);
  const active = await api.get(`${v1}/conversations?archived=false`, bob);
  expect(active.json.conversations).toMatchObject([{ conversWith: "alice", archived: false }]);
});

test("marks move forward only", async ({ api }) => {
  for (const text of ["one", "two", "three"]) await post(api, "alice", "bob", { text });
  const bob = api.token("bob");
  const mark = async (body: object, to = "alice") =>
    (await api.post(`${v1}/conversations/${to}/mark`, bob, body)).json;

  expect(await mark({ delivered: 2 })).toEqual({ delivered: 2, read: 0 });
  expect(await mark({ read: 3 })).toEqual({ delivered: 3, read: 3 });
  expect(await mark({ delivered: 1, read: 1 })).toEqual({ delivered: 3, read: 3 });
  expect(await mark({ read: 99 })).toEqual({ delivered: 3, read: 3 });
  expect(await mark({ read: -1 })).toMatchObject({ code: "bad_request" });
  expect(await mark({ read: 1 }, "stranger")).toMatchObject({ code: "not_member" });
});

test("events are oldest first and say what they cover", async ({ api }) => {
  for (const text of ["one", "two", "three"]) await post(api, "alice", "bob", { text });
  const events = async (query: string) =>
    (await api.get(`${v1}/conversations/alice/events?${query}`, api.token("bob"))).json;

  const all = await events("");
  const some = await events("after=1&limit=1");

  expect(historyResponseSchema.safeParse(all).success).toBe(true);
  expect(all).toMatchObject({ head: 3, covered: [[1, 3]] });
  expect(all.events.map(({ message }: { message: { text: string } }) => message.text)).toEqual([
    "one",
    "two",
    "three",
  ]);
  expect(some).toMatchObject({ covered: [[2, 2]], events: [{ seq: 2 }] });
  expect(await events("limit=0")).toMatchObject({ code: "bad_request" });
});

test("sync answers what changed since the cursor, and little when nothing did", async ({ api }) => {
  await post(api, "alice", "bob", { text: "one" });
  await post(api, "carol", "bob", { text: "two" });
  const ask = (body: object) => api.post(`${v1}/sync`, api.token("bob"), body);
  const names = ({ conversations }: { conversations: { state: { conversWith: string } }[] }) =>
    conversations.map(({ state }) => state.conversWith).sort();

  const fresh = (await ask({})).json;
  const nothing = await ask({ cursor: fresh.cursor });
  await post(api, "alice", "bob", { text: "three" });
  const later = (await ask({ cursor: nothing.json.cursor })).json;
  const states = (await ask({ limit: 0 })).json;

  for (const answer of [fresh, nothing.json, later, states]) {
    expect(syncResponseSchema.safeParse(answer).success).toBe(true);
    expect(answer.epoch).toBe(api.store.epoch);
  }
  expect(names(fresh)).toEqual(["alice", "carol"]);
  expect(nothing.json).toMatchObject({ more: false, conversations: [] });
  expect(nothing.text.length).toBeLessThanOrEqual(200);
  expect(later.conversations).toMatchObject([
    { state: { conversWith: "alice", head: 2 }, covered: [[2, 2]], events: [{ message: { text: "three" } }] },
  ]);
  expect(states.conversations.map(({ events }: { events: unknown[] }) => events)).toEqual([[], []]);
});

test("a list goes on behind its cursor, also among conversations of one time", async ({ api }) => {
  const friends = Array.from({ length: 10 }, (_, index) => `friend-${index}`);
  for (const friend of friends) await post(api, friend, "bob", { text: "hi" });
  const bob = api.token("bob");
  const seen: string[] = [];

  let query = "limit=3";
  for (let page = 0; page < 4; page++) {
    const { conversations, cursor } = (await api.get(`${v1}/conversations?${query}`, bob)).json;
    seen.push(...conversations.map(({ conversWith }: { conversWith: string }) => conversWith));
    query = `limit=3&cursor=${cursor}`;
    if (cursor === null) break;
  }

  expect(seen.toSorted()).toEqual(friends);
});

describe("a cursor is refused", () => {
  /** Each makes another cursor of a good one of Bob's: its version, its owner in short, and its place. */
  const forgeries: readonly (readonly [string, (parts: readonly string[]) => string])[] = [
    ["that is any text", () => "abc"],
    ["of a newer version", ([version, ...rest]) => [Number(version) + 1, ...rest].join(".")],
    ["of another owner", ([version, , ...place]) => [version, "00000000", ...place].join(".")],
    ["without a place", (parts) => parts.slice(0, 2).join(".")],
    ["with a place that is none", (parts) => [...parts.slice(0, 2), "nowhere"].join(".")],
    ["with more than a place", (parts) => [...parts, "x/y"].join(".")],
  ];

  test.for(forgeries)("%s", async ([_what, forge], { api }) => {
    await post(api, "alice", "bob", { text: "one" });
    await post(api, "carol", "bob", { text: "two" });
    const bob = api.token("bob");
    const synced = (await api.post(`${v1}/sync`, bob, {})).json.cursor;
    const listed = (await api.get(`${v1}/conversations?limit=1`, bob)).json.cursor;

    const sync = await api.post(`${v1}/sync`, bob, { cursor: forge(synced.split(".")) });
    const list = await api.get(`${v1}/conversations?cursor=${forge(listed.split("."))}`, bob);

    expect([sync.status, sync.json.code]).toEqual([400, "invalid_cursor"]);
    expect([list.status, list.json.code]).toEqual([400, "invalid_cursor"]);
  });

  test("that another user was given", async ({ api }) => {
    await post(api, "alice", "bob", { text: "one" });
    await post(api, "carol", "bob", { text: "two" });
    const synced = (await api.post(`${v1}/sync`, api.token("bob"), {})).json.cursor;
    const listed = (await api.get(`${v1}/conversations?limit=1`, api.token("bob"))).json.cursor;

    for (const token of [api.token("alice"), api.admin()]) {
      const sync = await api.post(`${v1}/sync`, token, { cursor: synced });
      const list = await api.get(`${v1}/conversations?cursor=${listed}`, token);

      expect([sync.json.code, list.json.code]).toEqual(["invalid_cursor", "invalid_cursor"]);
    }
  });

  test("that is longer than any, or empty, or beside another bound", async ({ api }) => {
    const bob = api.token("bob");
    const long = "x".repeat(limits.cursorCharacters + 1);

    for (const cursor of [long, "", null, 1, ["abc"]]) {
      const answer = await api.post(`${v1}/sync`, bob, { cursor });
      expect(["bad_request", "invalid_cursor"]).toContain(answer.json.code);
    }
    for (const query of [`cursor=${long}`, "cursor=", "cursor=a&cursor=b", "cursor=abc&before=1"]) {
      const answer = await api.get(`${v1}/conversations?${query}`, bob);
      expect([query, answer.status, answer.json.code]).toEqual([query, 400, "bad_request"]);
    }
  });
});

test("a cursor of another history is answered with everything, and says so", async ({ api }) => {
  await post(api, "alice", "bob", { text: "one" });
  const bob = api.token("bob");
  const { cursor } = (await api.post(`${v1}/sync`, bob, {})).json;
  const other = cursor.split(".").with(2, "00000000").join(".");

  const restored = (await api.post(`${v1}/sync`, bob, { cursor: other })).json;

  expect(syncResponseSchema.safeParse(restored).success).toBe(true);
  expect(restored).toMatchObject({
    reset: true,
    epoch: api.store.epoch,
    conversations: [{ state: { conversWith: "alice" } }],
  });
});

test("a text in a list is cut, and whole in the history", async ({ api }) => {
  const text = "x".repeat(limits.listTextCharacters + 1);
  await post(api, "alice", "bob", { text });
  const bob = api.token("bob");

  const [state] = (await api.get(`${v1}/conversations`, bob)).json.conversations;
  const [old] = (await api.get(`/api/${app}/bob/conversations`, bob)).json.result;
  const [event] = (await api.get(`${v1}/conversations/alice/events`, bob)).json.events;
  const [message] = (await api.get(`/api/${app}/bob/conversations/alice/messages`, bob)).json.result;

  const cut = text.slice(0, limits.listTextCharacters);
  expect(state.conversation).toMatchObject({ text: cut, last_message_text: cut });
  expect(old).toMatchObject({ text: cut, last_message_text: cut });
  expect([event.message.text, message.text]).toEqual([text, text]);
});

test("presence is told among people who share a conversation, and strangers look like nobody", async ({
  api,
}) => {
  const online = async (user: string) => {
    const client = await api.edge.connect({ clientId: `${user}-1`, password: api.token(user) });
    await client.publish(`apps/${app}/users/${user}/presence/${user}-1`, { connected: true });
    return client;
  };
  await online("alice");
  await online("mallory");
  const group = await api.post(`/api/${app}/groups`, api.token("carol"), {
    group_id: "group-1",
    group_name: "Team",
    group_members: { alice: 1 },
  });
  expect(group.status).toBe(201);
  await post(api, "alice", "bob", { text: "hi" });
  const ask = async (token: string, users: string) =>
    (await api.get(`${v1}/presence?users=${users}`, token)).json;

  const bob = await ask(api.token("bob"), "alice,mallory,nobody,bob");
  const repeated = await ask(api.token("bob"), "alice&users=odd%2Cid");
  const carol = await ask(api.token("carol"), "alice");
  const admin = await ask(api.admin(), "mallory");

  expect(bob.presence).toEqual([
    { user: "alice", presence: "online", last_seen: expect.any(Number) },
    { user: "mallory", presence: "offline", last_seen: 0 },
    { user: "nobody", presence: "offline", last_seen: 0 },
    { user: "bob", presence: "offline", last_seen: 0 },
  ]);
  // A comma is allowed in an id: where the parameter is repeated, each value is one.
  expect(repeated.presence).toMatchObject([{ user: "alice" }, { user: "odd,id" }]);
  expect(carol.presence).toMatchObject([{ presence: "online" }]);
  expect(admin.presence).toMatchObject([{ presence: "online" }]);
  await api.delete(`/api/${app}/groups/group-1/members/alice`, api.token("alice"));
  expect((await ask(api.token("carol"), "alice")).presence).toMatchObject([{ presence: "offline" }]);
  for (const query of ["", "a^2Eb", Array.from({ length: 101 }, (_, index) => `u${index}`).join(",")]) {
    expect(await ask(api.token("bob"), query)).toMatchObject({ code: "bad_request" });
  }
});
