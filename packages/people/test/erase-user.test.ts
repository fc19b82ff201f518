import { createEngine, type TokenVerifier } from "@chat21/engine";
import { ChatError } from "@chat21/protocol";
import { createManualClock, createMemoryStore, createRecordingEdge } from "@chat21/testkit";
import { expect, it } from "vitest";
import { createContactDirectory, eraseUser } from "../src/index.ts";

const app = "tilechat";
const system = { app, user: "system", admin: true };
const as = (user: string) => ({ app, user, admin: false });
const log = { debug() {}, info() {}, warn() {}, error() {} };
const noTokens: TokenVerifier = { verify: () => Promise.reject(new ChatError("unauthorized")) };

async function start() {
  const store = createMemoryStore();
  let ids = 0;
  const contacts = createContactDirectory({ users: store.users, clock: createManualClock(), log });
  const engine = createEngine({
    contacts,
    ...{ store, edge: createRecordingEdge(), tokens: noTokens, clock: createManualClock(), log },
    metrics: { count() {}, observe() {} },
    newId: () => `id-${++ids}`,
  });
  await engine.start();
  await store.users.put({ app, id: "ann", profile: "{}", createdAt: 1, updatedAt: 1 });
  await store.instances.put({ app, user: "ann", instanceId: "phone", data: "{}", updatedAt: 1 });
  const revoked: unknown[] = [];
  const verifier = { revoke: async (request: unknown) => void revoked.push(request) };
  const forgotten: unknown[] = [];
  const webhooks = { forget: async (...whom: unknown[]) => forgotten.push(whom) };
  return { store, revoked, forgotten, parts: { store, engine, verifier, webhooks }, engine };
}

it("Erasing a person ends tokens and memberships, and erases messages, profile and devices", async () => {
  const { store, engine, revoked, forgotten, parts } = await start();
  await engine.groups.create(as("bob"), { id: "group-1", name: "One", members: ["ann"] });
  await engine.messages.send(as("ann"), { recipient: "group-1", body: '{"text":"in the group"}' });
  await engine.messages.send(as("ann"), { recipient: "bob", body: '{"text":"between us"}' });
  await engine.messages.send(as("bob"), { recipient: "ann", body: '{"text":"my own"}' });

  const erased = await eraseUser(parts, system, "ann");

  expect(erased).toEqual({ messages: 2, names: 0, groups: 1, profile: true, instances: 1, webhooks: 1 });
  expect(forgotten).toEqual([[app, "ann"]]);
  expect(revoked).toEqual([{ app, user: "ann" }]);
  const [group] = await store.conversations.load([{ app, conversation: "group-1" }]);
  expect(group?.members.find(({ user }) => user === "ann")?.intervals.at(-1)?.[1]).toBeTypeOf("number");
  expect(await store.users.get(app, "ann")).toBeNull();
  expect(await store.instances.list(app, "ann")).toEqual([]);
  const texts: string[] = [];
  for await (const json of engine.messages.list(as("bob"), "bob", "ann", {}))
    texts.push(JSON.parse(json).text);
  expect(texts).toEqual(["my own"]);
});

it("Erasing a person again finds nothing left, and succeeds", async () => {
  const { engine, parts } = await start();
  await engine.messages.send(as("ann"), { recipient: "bob", body: '{"text":"between us"}' });
  await eraseUser(parts, system, "ann");

  expect(await eraseUser(parts, system, "ann")).toEqual({
    ...{ messages: 0, names: 0, groups: 0, profile: false, instances: 0 },
    webhooks: 2,
  });
});

it("Erasing a person replaces the name in what others sent to it and in what the system says of its joining", async () => {
  const { store, engine, parts } = await start();
  await store.users.put({ app, id: "ann", profile: '{"fullname":"Ann Lee"}', createdAt: 1, updatedAt: 1 });
  await engine.groups.create(as("bob"), { id: "group-1", name: "One", members: ["ann", "cid"] });
  await engine.groups.create(as("bob"), { id: "group-2", name: "Two", members: ["cid"] });
  await engine.groups.addMember(as("bob"), "group-2", "ann");
  const body = '{"text":"Ann Lee, my own 1.0","recipient_fullname":"Ann Lee","price":1.0}';
  await engine.messages.send(as("bob"), { recipient: "ann", body });
  await engine.messages.send(as("bob"), { recipient: "cid", body: '{"recipient_fullname":"Cid"}' });

  const erased = await eraseUser(parts, system, "ann");

  const stored = async (conversation: string) =>
    (await store.events.read({ app, conversation, limit: 99, from: "oldest" })).map((event) => event.body);
  expect(erased).toMatchObject({ names: 4 });
  expect(await stored("ann.bob")).toEqual([
    '{"text":"Ann Lee, my own 1.0","price":1.0,"recipient_fullname":"ann"}',
  ]);
  const groups = [...(await stored("group-1")), ...(await stored("group-2"))].join("\n");
  expect(groups).not.toMatch(/Ann|Lee/);
  expect(groups).toContain('"text":"ann joined group on creation"');
  expect(groups).toContain('"text":"ann added to group"');
  expect((await stored("bob.cid"))[0]).toContain('"recipient_fullname":"Cid"');
  const listed: string[] = [];
  for await (const json of engine.conversations.list(as("bob"), "bob", false, {})) listed.push(json);
  expect(listed.join("\n")).not.toContain('"recipient_fullname":"Ann Lee"');
});
