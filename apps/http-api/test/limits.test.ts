import { byteLength, limits, topics } from "@chat21/protocol";
import { describe, expect } from "vitest";
import { fullPath, type Route } from "../src/route.ts";
import { routesFor } from "../src/routes.ts";
import { test } from "./api.fixture.ts";
import { type Api, app, oldMessage } from "./start-api.ts";

/**
 * Every limit at its largest value, in every request that can carry it: what one limit allows, no other one refuses.
 */
type Walk = (api: Api) => Promise<void>;

/** Limits that no request carries: they bound what the server does by itself, or a CONNECT of MQTT. */
type OwnLimit =
  | "answerBytes"
  | "clientIdBytes"
  | "compressFromBytes"
  | "erasedPerEvent"
  | "groupNoticeMemberMs"
  | "heavyRequests"
  | "heavyWaiting"
  | "interleavedMembers"
  | "joinReplay"
  | "joinReplayBurst"
  | "joinReplayCharacters"
  | "joinReplayPerMinute"
  | "readerStallMs"
  | "receiptReach"
  | "syncConversations"
  | "unreadMax";

const v1 = `/api/v1/${app}`;
const routes = routesFor({ signInKey: null });

/** The longest id that ends with `tail`. Its other characters are escaped in a path: the request gets as long as can be. */
const longest = (tail: string | number, bytes: number = limits.idBytes) => `${tail}`.padStart(bytes, "@");

/** The longest id of a group that a user with the longest id can be a member of: routing keys are short. */
const longestGroup = (() => {
  const free = limits.routingKeyBytes - topics.messageUpdated(app, longest(""), "", "x".repeat(36)).length;
  return `group-${"=".repeat(free - 6)}`;
})();

const messages = (conversWith: string) => `${v1}/conversations/${encodeURIComponent(conversWith)}/messages`;

/** A JSON object with a text in it that makes it so many bytes long. */
function filled(bytes: number, make: (text: string) => object): string {
  const rest = byteLength(JSON.stringify(make("")));
  return JSON.stringify(make("x".repeat(bytes - rest)));
}

/** Nested objects, so many levels in all. */
const nested = (levels: number): object => (levels === 1 ? {} : { a: nested(levels - 1) });

async function expectStatus(
  answer: Promise<{ status: number; text: string }>,
  status: number,
): Promise<void> {
  const { status: actual, text } = await answer;
  expect([actual, text.slice(0, 300)]).toEqual([status, expect.anything()]);
}

/** Publishes. Returns `sent`, or the code of the answer when it was refused. */
async function publish(api: Api, user: string, topic: string, payload: unknown): Promise<string> {
  const client = await api.edge.connect({ clientId: "device", password: api.token(user) });
  await client.publish(topic, payload);
  const answer = client.received.findLast((frame) => frame.topic.endsWith("/answer"));
  const code = answer === undefined ? "sent" : JSON.parse(answer.payload).code;
  client.close();
  return code;
}

const groupOf = (count: number, make: (index: number) => string) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [make(index), 1]));

/** Reads and writes of every route with the longest ids: refused at most for what the ids mean, never for their length. */
async function walkRoutes(api: Api, ids: Readonly<Record<string, string>>, token: string): Promise<void> {
  for (const route of routes) {
    const path = pathOf(route, ids);
    const body = route.example?.body;
    const answer = await api.call(route.method.toUpperCase(), path, {
      token,
      ...(body === undefined ? {} : { body }),
    });
    const { status } = answer;
    const allowed = route.api === "v0" ? [401, 404, 405] : [400, 403, 404];
    if (status >= 300) expect(allowed, `${route.id}: ${status} ${answer.text}`).toContain(status);
    if (status === 405) expect(answer.text, route.id).not.toContain("form that is not allowed");
    if (status === 400) expect(answer.json, route.id).toMatchObject({ code: "invalid_id" });
    if (status === 400) expect(answer.json.detail, route.id).toMatch(/too long for a routing key|together/);
  }
}

function pathOf(route: Route, ids: Readonly<Record<string, string>>): string {
  const path = fullPath(route, "/api").replace(/\{(\w+)\}/g, (_match, name: string) =>
    encodeURIComponent(ids[name] ?? ""),
  );
  return route.example?.query === undefined ? path : `${path}?${route.example.query}`;
}

const walks = {
  async idBytes(api) {
    const [alice, bob] = [longest("alice"), longest("bob")];
    const ids = { app, user: alice, member: bob, conversWith: bob, group: longestGroup };
    const token = api.token(alice);

    await expectStatus(api.post(messages(bob), token, { text: "hi", client_message_id: longest("1") }), 201);
    await expectStatus(api.post(`/api/${app}/messages`, token, oldMessage(bob, "hi")), 200);
    await expectStatus(
      api.post(messages(bob), token, { text: "hi", client_message_id: longest("1", 65) }),
      400,
    );
    await walkRoutes(
      api,
      { ...ids, instance: longest("i", 1_024), endpoint: longest("e", 1_024) },
      api.admin(),
    );
  },

  async userIdBytes(api) {
    // Each dot is three bytes on the wire.
    const user = longest(".".repeat(42), limits.userIdBytes - 84);
    const profile = (id: string) => `${v1}/users/${encodeURIComponent(id)}`;

    await expectStatus(api.put(profile(user), api.admin(), { fullname: "Long" }), 200);
    await expectStatus(api.put(profile(`${user}a`), api.admin(), { fullname: "Long" }), 400);
  },

  async groupIdBytes(api) {
    const group = `group-${"=".repeat(limits.groupIdBytes - 6)}`;
    const ids = { app, user: "al", member: "bob", conversWith: group, group };
    const token = api.token("al");

    const create = { group_id: group, group_name: "Team", group_members: { bob: 1 } };
    await expectStatus(api.post(`/api/${app}/groups`, token, create), 201);
    await expectStatus(api.post(messages(group), token, { text: "hi" }), 201);
    await expectStatus(api.post(messages(`${group}=`), token, { text: "hi" }), 400);
    await walkRoutes(api, { ...ids, instance: "i", endpoint: "e" }, api.admin());
  },

  async routingKeyBytes(api) {
    const token = api.token(longest("alice"));
    const create = (id: string) => ({ group_id: id, group_name: "Team", group_members: {} });

    await expectStatus(api.post(`/api/${app}/groups`, token, create(longestGroup)), 201);
    await expectStatus(api.post(messages(longestGroup), token, { text: "hi" }), 201);
    await expectStatus(api.post(`/api/${app}/groups`, token, create(`${longestGroup}=`)), 405);
    const refused = await api.post(messages(`${longestGroup}=`), token, { text: "hi" });
    expect(refused.json.code).toBe("invalid_id");
  },

  async payloadBytes(api) {
    const token = api.token("alice");
    const body = (bytes: number) => filled(bytes, (text) => ({ type: "text", text }));
    const old = (bytes: number) => {
      // The message is made of the body: without the recipient's id, with the kind of channel.
      const made = (text: string) => ({
        ...{ text, type: "text", recipient_fullname: "bob", sender_fullname: "Somebody" },
        channel_type: "direct",
      });
      return oldMessage("bob", JSON.parse(filled(bytes, made)).text);
    };
    const topic = topics.outgoing(app, "alice", "bob");

    await expectStatus(api.call("POST", messages("bob"), { token, raw: body(limits.payloadBytes) }), 201);
    await expectStatus(api.post(`/api/${app}/messages`, token, old(limits.payloadBytes)), 200);
    await expectStatus(api.post(`/api/${app}/messages/sync`, token, old(limits.payloadBytes)), 200);
    expect(await publish(api, "alice", topic, body(limits.payloadBytes))).toBe("sent");
    await expectStatus(api.call("POST", messages("bob"), { token, raw: body(limits.payloadBytes + 1) }), 413);
    await expectStatus(api.post(`/api/${app}/messages`, token, old(limits.payloadBytes + 1)), 413);
    expect(await publish(api, "alice", topic, body(limits.payloadBytes + 1))).toBe("payload_too_large");
    const [message] = (await api.get(`/api/${app}/bob/conversations/alice/messages`, api.token("bob"))).json
      .result;
    expect(byteLength(message.text)).toBeGreaterThan(limits.payloadBytes - 100);
    for (const path of ["conversations", "conversations/alice", "conversations/alice/messages"]) {
      await expectStatus(api.get(`/api/${app}/bob/${path}`, api.token("bob")), 200);
    }
    await expectStatus(api.post(`${v1}/sync`, api.token("bob"), {}), 200);
  },

  async payloadDepth(api) {
    const token = api.token("alice");
    const message = (levels: number) => nested(levels);
    const group = (levels: number) => ({
      ...{ group_name: "Team", group_members: {}, attributes: nested(levels - 1) },
    });

    await expectStatus(api.post(messages("bob"), token, message(limits.payloadDepth)), 201);
    await expectStatus(api.post(`/api/${app}/groups`, token, group(limits.payloadDepth)), 201);
    await expectStatus(
      api.put(`${v1}/users/alice`, token, { attributes: nested(limits.payloadDepth - 1) }),
      200,
    );
    await expectStatus(api.post(messages("bob"), token, message(limits.payloadDepth + 1)), 400);
    await expectStatus(api.post(`/api/${app}/groups`, token, group(limits.payloadDepth + 1)), 405);
  },

  async bodyBytes(api) {
    const token = api.token("alice");
    const profile = (bytes: number) => filled(bytes, (text) => ({ attributes: { text } }));
    const put = (bytes: number) => api.call("PUT", `${v1}/users/alice`, { token, raw: profile(bytes) });

    await expectStatus(put(limits.bodyBytes), 200);
    await expectStatus(api.get(`${v1}/users/alice`, token), 200);
    await expectStatus(api.get(`${v1}/users`, api.admin()), 200);
    await expectStatus(put(limits.bodyBytes + 1), 413);
  },

  async inlineGroupMembers(api) {
    const token = api.token(longest("alice"));
    const message = (count: number) => ({ text: "hi", group: { members: groupOf(count, longest) } });
    const topic = topics.outgoing(app, longest("alice"), longestGroup);

    await expectStatus(api.post(messages(longestGroup), token, message(limits.inlineGroupMembers)), 201);
    expect(await publish(api, longest("alice"), topic, message(limits.inlineGroupMembers))).toBe("sent");
    await expectStatus(api.post(messages(longestGroup), token, message(limits.inlineGroupMembers + 1)), 400);
  },

  async groupMembers(api) {
    const owner = longest("owner");
    const token = api.token(owner);
    const members = (count: number, prefix: string) => ({
      ...groupOf(count - 1, (index) => longest(`${prefix}${index}`)),
      [owner]: 1,
    });
    const create = (count: number) => ({
      ...{
        group_id: longestGroup,
        group_name: "n".repeat(limits.nameBytes),
        group_members: members(count, "a"),
      },
      attributes: JSON.parse(filled(limits.payloadBytes, (text) => ({ text }))),
    });
    const path = `/api/${app}/groups/${encodeURIComponent(longestGroup)}`;

    await expectStatus(api.post(`/api/${app}/groups`, token, create(limits.groupMembers + 1)), 405);
    await expectStatus(api.post(`/api/${app}/groups`, token, create(limits.groupMembers)), 201);
    await expectStatus(api.get(path, token), 200);
    await expectStatus(api.post(`${path}/members`, token, { member_id: "one-more" }), 405);
    await expectStatus(
      api.put(`${path}/members`, token, { members: members(limits.groupMembers, "b") }),
      200,
    );
  },

  async groupBodyBytes(api) {
    const token = api.token("alice");
    const group = (bytes: number) =>
      filled(bytes, (text) => ({ group_name: "Team", group_members: {}, unknown: text }));
    const create = (bytes: number) => api.call("POST", `/api/${app}/groups`, { token, raw: group(bytes) });

    await expectStatus(create(limits.groupBodyBytes), 201);
    await expectStatus(create(limits.groupBodyBytes + 1), 413);
  },

  async nameBytes(api) {
    const token = api.token("alice");
    const name = "é".repeat(limits.nameBytes / 2);
    const names = { fullname: name, firstname: name, lastname: name, email: name };
    const create = (text: string) => ({ group_name: text, group_members: {}, group_id: "group-1" });

    await expectStatus(api.put(`${v1}/users/alice`, token, names), 200);
    await expectStatus(api.post(`/api/${app}/groups`, token, create(name)), 201);
    await expectStatus(
      api.put(`/api/${app}/groups/group-1`, token, { group_name: `n${name.slice(1)}` }),
      200,
    );
    await expectStatus(api.put(`${v1}/users/alice`, token, { fullname: `${name}n` }), 400);
    await expectStatus(api.put(`/api/${app}/groups/group-1`, token, { group_name: `${name}n` }), 405);
  },

  async listMax(api) {
    const admin = api.admin();
    await api.post(messages("alice"), api.token("100-APIADMIN"), { text: "hi" });
    const lists = routes.filter(({ id }) => /^list/.test(id));
    const ids = { app, user: "100-APIADMIN", conversWith: "alice" };

    expect(lists.map(({ id }) => id)).toHaveLength(8);
    for (const route of lists) {
      const ask = (limit: number) => api.get(`${pathOf(route, ids)}?limit=${limit}`, admin);
      await expectStatus(ask(limits.listMax), 200);
      await expectStatus(ask(limits.listMax + 1), route.api === "v0" ? 405 : 400);
    }
    const sync = (limit: number) => api.post(`${v1}/sync`, admin, { limit });
    await expectStatus(sync(limits.listMax), 200);
    await expectStatus(sync(limits.listMax + 1), 400);
  },

  async listDefault(api) {
    await expectStatus(api.get(`${v1}/conversations?limit=${limits.listDefault}`, api.token("alice")), 200);
  },

  async cursorCharacters(api) {
    // The longest cursors that there are: of the longest app, user and conversation.
    const [tenant, alice] = [longest("app"), longest("alice")];
    const token = api.token(alice, { app: tenant });
    const free = limits.routingKeyBytes - topics.messageUpdated(tenant, alice, "", "x".repeat(36)).length;
    const path = `/api/v1/${encodeURIComponent(tenant)}`;
    for (const name of ["support-group-1", "support-group-2"]) {
      const group = encodeURIComponent(name.padEnd(free, "="));
      await expectStatus(api.post(`${path}/conversations/${group}/messages`, token, { text: "hi" }), 201);
    }
    const listed = (await api.get(`${path}/conversations?limit=1`, token)).json.cursor;
    const synced = (await api.post(`${path}/sync`, token, {})).json.cursor;

    for (const cursor of [listed, synced]) expect(cursor.length).toBeLessThanOrEqual(limits.cursorCharacters);
    await expectStatus(api.get(`${path}/conversations?cursor=${listed}`, token), 200);
    await expectStatus(api.post(`${path}/sync`, token, { cursor: synced }), 200);
    const made = await api.post(`${path}/sync`, token, { cursor: "x".repeat(limits.cursorCharacters) });
    expect(made.json.code).toBe("invalid_cursor");
  },

  async listTextCharacters(api) {
    const text = "x".repeat(limits.listTextCharacters);
    await api.post(messages("bob"), api.token("alice"), { text });

    const [listed] = (await api.get(`/api/${app}/bob/conversations`, api.token("bob"))).json.result;

    expect(listed.last_message_text).toBe(text);
  },

  async presenceUsers(api) {
    const ask = (count: number) => {
      const users = Array.from({ length: count }, (_, index) => encodeURIComponent(longest(index)));
      return api.get(`${v1}/presence?users=${users.join(",")}`, api.token("alice"));
    };

    await expectStatus(ask(limits.presenceUsers), 200);
    await expectStatus(ask(limits.presenceUsers + 1), 400);
  },

  async marks(api) {
    const alice = longest("alice");
    const topic = topics.command(app, alice, "device");
    const peers = Array.from({ length: limits.marks + 1 }, (_, index) => longest(index));
    for (const peer of peers) await api.post(messages(alice), api.token(peer), { text: "hi" });
    const command = (count: number) => ({
      ...{ type: "mark", request_id: longest("request") },
      marks: peers.slice(0, count).map((conversWith) => ({
        ...{ conversWith, delivered: Number.MAX_SAFE_INTEGER, read: Number.MAX_SAFE_INTEGER },
      })),
    });

    expect(await publish(api, alice, topic, command(limits.marks))).toBe("ok");
    expect(await publish(api, alice, topic, command(limits.marks + 1))).toBe("bad_request");
  },

  async eraseSeqs(api) {
    const token = api.token("alice");
    for (let n = 0; n < limits.eraseSeqs; n++) await api.post(messages("bob"), token, { text: "hi" });
    const topic = topics.command(app, "alice", "device");
    const command = (count: number) => ({
      ...{ type: "erase", request_id: `r-${count}`, conversWith: "bob" },
      seqs: Array.from({ length: count }, (_, index) => index + 1),
    });

    expect(await publish(api, "alice", topic, command(limits.eraseSeqs + 1))).toBe("bad_request");
    expect(await publish(api, "alice", topic, command(limits.eraseSeqs))).toBe("ok");
  },

  async timestampPastMs(api) {
    const timestamp = api.clock.now() - limits.timestampPastMs;
    const sent = await api.post(messages("bob"), api.token("alice"), { text: "hi", timestamp });
    expect([sent.status, sent.json.timestamp]).toEqual([201, timestamp]);
  },

  async timestampFutureMs(api) {
    const timestamp = api.clock.now() + limits.timestampFutureMs;
    const sent = await api.post(messages("bob"), api.token("alice"), { text: "hi", timestamp });
    expect([sent.status, sent.json.timestamp]).toEqual([201, timestamp]);
  },

  async strictTokenTtlMs(api) {
    const request = { ttl: limits.strictTokenTtlMs / 1_000, profile: "strict", client_id: longest("c") };
    await expectStatus(
      api.post(`${v1}/users/${encodeURIComponent(longest("alice"))}/tokens`, api.admin(), request),
      201,
    );
  },

  async compatTokenTtlMs(api) {
    const ask = (ttl: number) =>
      api.post(`${v1}/users/alice/tokens`, api.admin(), { ttl, profile: "compat" });
    await expectStatus(ask(limits.compatTokenTtlMs / 1_000), 201);
    await expectStatus(ask(limits.compatTokenTtlMs / 1_000 + 1), 400);
  },

  async revokedTokensPerUser(api) {
    const { token, tokenId } = api.tokens.issue({ app, user: "alice" });
    const revoke = (body: object) => api.post(`${v1}/users/alice/tokens/revoke`, token, body);
    for (let count = 0; count < limits.revokedTokensPerUser - 1; count += 1)
      await api.verifier.revoke({ app, user: "alice", tokenId: `t-${count}` });
    await expectStatus(revoke({ token_id: "the-last" }), 204);
    await expectStatus(revoke({ token_id: "one-too-many" }), 400);
    await expectStatus(revoke({ token_id: "the-last" }), 204);
    await expectStatus(revoke({ token_id: tokenId }), 204);
    await expectStatus(api.post(`${v1}/users/alice/tokens/revoke`, api.token("alice"), {}), 204);
  },
} as const satisfies Readonly<Record<Exclude<keyof typeof limits, OwnLimit>, Walk>>;

describe("a request with as much as the limit allows is taken, and one with more is refused as documented", () => {
  test.for(Object.keys(walks) as (keyof typeof walks)[])("%s", { timeout: 60_000 }, async (name, { api }) => {
    await walks[name](api);
  });
});
