import type { EventRecord, Fact } from "@chat21/engine";
import { webhookEvents } from "@chat21/protocol";
import { createManualClock, createMemoryStore } from "@chat21/testkit";
import { expect, test } from "vitest";
import { createBackendEvents, webhookSinks } from "../src/index.ts";

const copy = (user: string, conversWith: string, status: number) => ({
  ...{ user, conversWith, status },
  payload: JSON.stringify({ text: "hi", status }),
});

const message: Fact = {
  kind: "message",
  event: { app: "tilechat", conversation: "alice.bob", sender: "alice", messageId: "m-1" } as EventRecord,
  conversationKind: "direct",
  sent: copy("alice", "bob", 100),
  delivered: [copy("alice", "bob", 100), copy("bob", "alice", 150)],
};
const presence: Fact = { kind: "presence", app: "other", user: "bob", presence: "online", at: 7 };
const endpoints = [{ url: "http://a.example/", secrets: [] }];

test("A fact means its events in order, each with the body of the webhook", async () => {
  const clock = createManualClock(1_000);
  const store = createMemoryStore().webhooks;
  const settings = { enabled: true, endpoints, events: ["message-sent", "message-delivered"] as const };

  const events = createBackendEvents(webhookEvents, clock)(message);
  for (const sink of webhookSinks({ settings, store, clock })) await sink.accept([message]);

  const rows = [...(await store.list({ limit: 10 }))].reverse();
  expect(events.map(({ app, event }) => [app, event])).toEqual([
    ["tilechat", "message-sent"],
    ["tilechat", "message-delivered"],
  ]);
  expect(events.map(({ body }) => body())).toEqual(rows.map(({ body }) => body));
  expect(events.map(({ id }) => id())).not.toEqual(rows.map(({ id }) => id));
});

test("Only the wanted events are made", () => {
  const clock = createManualClock(1_000);

  const events = [message, presence].flatMap(createBackendEvents(["message-sent"], clock));

  expect(events.map(({ event }) => event)).toEqual(["message-sent"]);
});

test("The same fact later has the same ids, and no two events have one", async () => {
  const clock = createManualClock(1_000);
  const idsOf = (facts: readonly Fact[]) =>
    facts.flatMap(createBackendEvents(webhookEvents, clock)).map(({ id }) => id());

  const first = idsOf([message, presence]);
  await clock.advance(60_000);

  expect(idsOf([message, presence])).toEqual(first);
  expect(new Set(first).size).toBe(3);
});

test("Webhooks are recorded where they are on and have endpoints", () => {
  const clock = createManualClock();
  const store = createMemoryStore().webhooks;
  const names = (enabled: boolean, urls: typeof endpoints) =>
    webhookSinks({ settings: { enabled, endpoints: urls, events: [] }, store, clock }).map(
      ({ name }) => name,
    );

  expect(names(true, endpoints)).toEqual(["webhooks"]);
  expect(names(true, [])).toEqual([]);
  expect(names(false, endpoints)).toEqual([]);
});
