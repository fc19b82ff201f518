import { describe, expect } from "vitest";
import { test } from "./api.fixture.ts";
import { type Api, app, oldMessage } from "./start-api.ts";

/** The behaviour that existing clients depend on, as far as REST shows it: Q1 to Q23 of `docs/wire.md`. */

const messagesOf = async (api: Api, user: string, conversWith: string) =>
  (await api.get(`/api/${app}/${user}/conversations/${conversWith}/messages`, api.token(user))).json.result;

const conversationsOf = async (api: Api, user: string, list = "conversations") =>
  (await api.get(`/api/${app}/${user}/${list}`, api.token(user))).json.result;

const send = (api: Api, user: string, recipient: string, text: string, more: object = {}) =>
  api.post(`/api/${app}/messages`, api.token(user), oldMessage(recipient, text, more));

const createGroup = (api: Api, token: string, group: string, members: readonly string[]) =>
  api.post(`/api/${app}/groups`, token, {
    group_id: group,
    group_name: "Team",
    group_members: Object.fromEntries(members.map((member) => [member, 1])),
  });

const connect = (api: Api, user: string) =>
  api.edge.connect({ clientId: `${user}-1`, password: api.token(user) });

const payloads = (client: Awaited<ReturnType<typeof connect>>, suffix: string) =>
  client.received.filter(({ topic }) => topic.endsWith(suffix)).map(({ payload }) => JSON.parse(payload));

test("Q1: id, sender, recipient, app and status are the server's, the timestamp is the client's", async ({
  api,
}) => {
  const timestamp = api.clock.now() - 1_000;
  const forged = { message_id: "x", sender: "eve", recipient: "eve", app_id: "eve", status: 300, seq: 9 };

  await send(api, "alice", "bob", "hi", { ...forged, timestamp });
  const [message] = await messagesOf(api, "bob", "alice");

  expect(message).toMatchObject({
    sender: "alice",
    recipient: "bob",
    app_id: app,
    status: 150,
    seq: 1,
    timestamp,
  });
  expect(message.message_id).toMatch(/^[0-9a-f-]{36}$/);
});

test("Q2: the sender's devices get the message too: 100 for a direct one, 150 for a group's", async ({
  api,
}) => {
  await createGroup(api, api.token("alice"), "group-1", ["bob"]);
  const alice = await connect(api, "alice");

  await send(api, "alice", "bob", "to bob");
  await send(api, "alice", "group-1", "to all");

  expect(payloads(alice, "/clientadded").map(({ text, status }) => [text, status])).toEqual([
    ["to bob", 100],
    ["to all", 150],
  ]);
});

test("Q3: tempUID is echoed", async ({ api }) => {
  await send(api, "alice", "bob", "hi", { attributes: { tempUID: "T-1", lang: "en" } });

  expect((await messagesOf(api, "bob", "alice"))[0].attributes).toEqual({ tempUID: "T-1", lang: "en" });
});

test("Q5: archiving through REST tells the user's devices twice, with the whole conversation", async ({
  api,
}) => {
  await send(api, "alice", "bob", "hi");
  const bob = await connect(api, "bob");

  const answer = await api.delete(`/api/${app}/conversations/alice`, api.token("bob"));

  expect([answer.status, answer.text]).toEqual([201, '{"success":true}']);
  expect(bob.received.map(({ topic }) => topic)).toEqual([
    `apps/${app}/users/bob/conversations/alice/clientdeleted`,
    `apps/${app}/users/bob/archived_conversations/alice/clientadded`,
  ]);
  for (const { payload } of bob.received) {
    expect(JSON.parse(payload)).toMatchObject({
      last_message_text: "hi",
      archived: true,
      conversWith: "alice",
    });
  }
});

test("Q6: attributes that are null stay null, and absent ones absent", async ({ api }) => {
  await send(api, "alice", "bob", "absent");
  await api.post(`/api/v1/${app}/conversations/bob/messages`, api.token("alice"), {
    text: "null",
    attributes: null,
  });

  const [second, first] = await messagesOf(api, "bob", "alice");

  expect(second.attributes).toBeNull();
  expect(Object.keys(first)).not.toContain("attributes");
});

test("Q8: a message to a group that nobody created works, for the one who sent it", async ({ api }) => {
  const group = "support-group-653a1f0b9c-f0e1d2c3b4a5968778695a4b3c2d1e0f";
  const widget = await connect(api, "widget");

  const first = await send(api, "widget", group, "help", { channel_type: "group" });

  expect([first.status, first.text]).toEqual([200, '{"success":true}']);
  expect(payloads(widget, "/clientadded")).toMatchObject([{ text: "help", status: 150, recipient: group }]);
  expect(await messagesOf(api, "widget", group)).toMatchObject([{ text: "help" }]);
});

test("Q9: a message is announced once, also one of system to a group it is no member of", async ({ api }) => {
  await createGroup(api, api.token("alice"), "group-1", ["bob"]);
  const before = api.facts.length;

  const body = oldMessage("group-1", "closed", { sender_id: "system", channel_type: "group" });
  const answer = await api.post(`/api/${app}/messages`, api.admin(), body);

  expect(answer.status).toBe(200);
  expect(api.facts.slice(before)).toMatchObject([
    { kind: "message", sent: { user: "group-1", conversWith: "group-1", status: 100 } },
  ]);
});

describe("Q11", () => {
  test("lists are newest first, 200 at most, in an envelope", async ({ api }) => {
    for (let n = 1; n <= 203; n++) await send(api, "alice", "bob", `m${n}`);

    const answer = await api.get(`/api/${app}/bob/conversations/alice/messages`, api.token("bob"));

    expect(answer.status).toBe(200);
    expect(Object.keys(answer.json)).toEqual(["success", "result"]);
    expect(answer.json.success).toBe(true);
    expect(answer.json.result.map(({ text }: { text: string }) => text)).toEqual(
      Array.from({ length: 200 }, (_, index) => `m${203 - index}`),
    );
  });

  test("creating answers 201, failing validation 405", async ({ api }) => {
    const alice = api.token("alice");

    const created = await createGroup(api, alice, "group-1", []);
    const invalid = await api.post(`/api/${app}/groups`, alice, { group_members: {} });

    expect(created.status).toBe(201);
    expect([invalid.status, invalid.text]).toEqual([405, "group_name not present!"]);
  });
});

test("Q12: a conversation's detail is a list of one or none", async ({ api }) => {
  await send(api, "alice", "bob", "hi");
  const bob = api.token("bob");

  const there = await api.get(`/api/${app}/bob/conversations/alice`, bob);
  const gone = await api.get(`/api/${app}/bob/archived_conversations/alice`, bob);

  expect(there.json.result).toMatchObject([{ conversWith: "alice", last_message_text: "hi" }]);
  expect(gone.text).toBe('{"success":true,"result":[]}');
});

describe("Q13", () => {
  test.for([
    ["raw in Authorization", (token: string) => ({ headers: { authorization: token } }), ""],
    ["after Bearer", (token: string) => ({ headers: { authorization: `Bearer ${token}` } }), ""],
    ["after JWT", (token: string) => ({ headers: { authorization: `JWT ${token}` } }), ""],
    ["as ?token=", () => ({}), "token"],
    ["as ?jwt=", () => ({}), "jwt"],
    ["as ?JWT=", () => ({}), "JWT"],
  ] as const)("a token is found %s", async ([_where, call, name], { api }) => {
    const token = api.token("alice");
    const query = name === "" ? "" : `?${name}=${token}`;

    const answer = await api.call("GET", `/api/${app}/alice/conversations${query}`, call(token));

    expect([answer.status, answer.text]).toEqual([200, '{"success":true,"result":[]}']);
  });

  test("a bad token in the header is not helped by a good one in the query", async ({ api }) => {
    const answer = await api.get(`/api/${app}/alice/conversations?token=${api.token("alice")}`, "bad");

    expect([answer.status, answer.text]).toEqual([403, '{"success":false,"msg":"Unauthorized."}']);
  });
});

test("Q14: a joiner gets the group, the info message and history; with set-members only messages", async ({
  api,
}) => {
  const alice = api.token("alice");
  await createGroup(api, alice, "group-1", ["bob"]);
  await send(api, "alice", "group-1", "before");
  const carol = await connect(api, "carol");
  const dave = await connect(api, "dave");

  const joined = await api.post(`/api/${app}/groups/group-1/members`, alice, { member_id: "carol" });
  const set = await api.put(`/api/${app}/groups/group-1/members`, alice, {
    members: { alice: 1, bob: 1, carol: 1, dave: 1 },
  });

  expect([joined.text, set.text]).toEqual(['{"success":true}', '{"success":true}']);
  expect(payloads(carol, "/groups/group-1/clientupdated")[0].members).toEqual({ alice: 1, bob: 1, carol: 1 });
  expect(payloads(dave, "/groups/group-1/clientupdated")).toEqual([]);
  for (const client of [carol, dave]) {
    const messages = payloads(client, "/messages/group-1/clientadded");
    expect(messages.filter(({ __history }) => __history === "true").map(({ text }) => text)).toContain(
      "before",
    );
    expect(
      messages.some(({ text, __history }) => /added to group$/.test(text) && __history === undefined),
    ).toBe(true);
  }
});

test("Q15: the notice of a change says what changed on join and leave, and nothing on set-members", async ({
  api,
}) => {
  const alice = api.token("alice");
  await createGroup(api, alice, "group-1", ["bob"]);
  const bob = await connect(api, "bob");

  await api.post(`/api/${app}/groups/group-1/members`, alice, { member_id: "carol" });
  await api.delete(`/api/${app}/groups/group-1/members/carol`, alice);
  await api.put(`/api/${app}/groups/group-1/members`, alice, { members: { alice: 1, bob: 1, dave: 1 } });

  const notices = payloads(bob, "/groups/group-1/clientupdated");
  expect(notices.map(({ notification }) => notification?.messagelabel?.key)).toEqual([
    "MEMBER_JOINED_GROUP",
    "MEMBER_LEFT_GROUP",
    undefined,
  ]);
});

test("Q16: creating writes GROUP_CREATED and one MEMBER_JOINED_GROUP per member, as info", async ({
  api,
}) => {
  await createGroup(api, api.token("alice"), "group-1", ["bob"]);

  const infos = (await messagesOf(api, "bob", "group-1")).toReversed();

  expect(
    infos.map(({ sender, attributes }: { sender: string; attributes: Record<string, unknown> }) => [
      sender,
      attributes["subtype"],
      (attributes["messagelabel"] as { key: string }).key,
    ]),
  ).toEqual([
    ["system", "info", "GROUP_CREATED"],
    ["system", "info", "MEMBER_JOINED_GROUP"],
    ["system", "info", "MEMBER_JOINED_GROUP"],
  ]);
});

test("Q18: the next message un-archives, and every message is new, one's own too", async ({ api }) => {
  await send(api, "alice", "bob", "one");
  await api.delete(`/api/${app}/conversations/alice`, api.token("bob"));
  const archived = await conversationsOf(api, "bob", "archived_conversations");
  expect(archived).toMatchObject([{ conversWith: "alice", archived: true }]);

  await send(api, "alice", "bob", "two");

  expect(await conversationsOf(api, "bob")).toMatchObject([
    { last_message_text: "two", archived: false, is_new: true },
  ]);
  expect(await conversationsOf(api, "bob", "conversations/archived")).toEqual([]);
  expect(await conversationsOf(api, "alice")).toMatchObject([{ conversWith: "bob", is_new: true }]);
});

test("Q19: a user becomes a member of the group it creates, an admin does not", async ({ api }) => {
  const users = await createGroup(api, api.token("alice"), "group-1", ["bob"]);
  const admins = await api.post(`/api/${app}/groups`, api.admin(), {
    group_id: "group-2",
    group_name: "Team",
    group_owner: "bob",
    group_members: { bob: 1 },
  });

  expect(users.json.group).toMatchObject({ owner: "alice", members: { alice: 1, bob: 1 } });
  expect(admins.json.group).toMatchObject({ owner: "bob", members: { bob: 1 } });
  expect(Object.keys(admins.json.group.members)).toEqual(["bob"]);
});

test("Q20: members are an object of ones", async ({ api }) => {
  await createGroup(api, api.token("alice"), "group-1", ["bob"]);

  const { json } = await api.get(`/api/${app}/groups/group-1`, api.token("bob"));

  expect(json.result.members).toEqual({ alice: 1, bob: 1 });
  expect(json).toMatchObject({ success: true, result: { uid: "group-1", appId: app, name: "Team" } });
});

test("Q21: a group is known by its id, whatever the channel type says", async ({ api }) => {
  await createGroup(api, api.token("alice"), "group-1", ["bob"]);

  await send(api, "alice", "group-1", "to all");

  expect((await messagesOf(api, "bob", "group-1"))[0]).toMatchObject({
    text: "to all",
    recipient: "group-1",
  });
});

test("Q23: what was answered can be read at once", async ({ api }) => {
  await send(api, "alice", "bob", "hi");

  expect(await messagesOf(api, "alice", "bob")).toMatchObject([{ text: "hi" }]);
  expect(await conversationsOf(api, "bob")).toMatchObject([{ last_message_text: "hi" }]);
});
