import { createEngine, type TokenVerifier } from "@chat21/engine";
import { ChatError } from "@chat21/protocol";
import { createManualClock, createMemoryStore, createRecordingEdge } from "@chat21/testkit";
import { expect, it } from "vitest";
import { eraseUser } from "../src/index.ts";

const app = "tilechat";
const system = { app, user: "system", admin: true };
const as = (user: string) => ({ app, user, admin: false });
const log = { debug() {}, info() {}, warn() {}, error() {} };
const noTokens: TokenVerifier = { verify: () => Promise.reject(new ChatError("unauthorized")) };

async function start() {
  const store = createMemoryStore();
  let ids = 0;
  const engine = createEngine({
    ...{ store, edge: createRecordingEdge(), tokens: noTokens, clock: createManualClock(), log },
    metrics: { count() {}, observe() {} },
    newId: () => `id-${++ids}`,
  });
  await engine.start();
  await store.users.put({ app, id: "ann", profile: "{}", createdAt: 1, updatedAt: 1 });
  await store.instances.put({ app, user: "ann", instanceId: "phone", data: "{}", updatedAt: 1 });
  const revoked: unknown[] = [];
  const verifier = { revoke: async (request: unknown) => void revoked.push(request) };
  return { store, revoked, parts: { store, engine, verifier }, engine };
}

it("Erasing a person ends tokens and memberships, and erases messages, profile and devices", async () => {
  const { store, engine, revoked, parts } = await start();
  await engine.groups.create(as("bob"), { id: "group-1", name: "One", members: ["ann"] });
  await engine.messages.send(as("ann"), { recipient: "group-1", body: '{"text":"in the group"}' });
  await engine.messages.send(as("ann"), { recipient: "bob", body: '{"text":"between us"}' });
  await engine.messages.send(as("bob"), { recipient: "ann", body: '{"text":"my own"}' });

  const erased = await eraseUser(parts, system, "ann");

  expect(erased).toEqual({ messages: 2, groups: 1, profile: true, instances: 1 });
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
    messages: 0,
    groups: 0,
    profile: false,
    instances: 0,
  });
});
