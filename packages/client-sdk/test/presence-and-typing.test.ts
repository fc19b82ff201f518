import type { Delivery } from "@chat21/engine";
import { topics } from "@chat21/protocol";
import type { EdgePublish } from "@chat21/testkit";
import { describe, expect, test, vi } from "vitest";
import { ManualClock, settle } from "./support/manual-clock.ts";
import type { TestServer } from "./support/test-server.ts";
import { app } from "./support/test-server.ts";
import { openChat, openServer, Recorder } from "./support/world.ts";

/** One publish to alice's devices, as a later server may make it. */
function deliver(server: TestServer, topic: string, payload: unknown): void {
  const delivery: Delivery = { app, user: "alice", topic, payload: JSON.stringify(payload), qos: 1 };
  server.edge.deliver([delivery]);
}

describe("presence", () => {
  test("is asked for, and kept up to date by what comes live", async () => {
    const server = await openServer();
    await server.send("bob", "alice", { text: "hi" });
    const chat = await openChat(server);
    const recorder = new Recorder(chat);
    const bob = await openChat(server, "bob");
    await recorder.until(() => chat.presence.known("bob")?.presence === "online");

    expect(await chat.presence.get("bob")).toEqual({ user: "bob", presence: "online", lastSeen: null });
    await bob.close();
    await recorder.until(() => chat.presence.known("bob")?.presence === "offline");

    expect(recorder.all("presence")).toEqual([
      { user: "bob", presence: "online", lastSeen: null },
      { user: "bob", presence: "offline", lastSeen: expect.any(Number) },
    ]);
  });

  test("of a subscribed user is told at once and after each change, also of changes missed while offline", async () => {
    const server = await openServer();
    await server.send("bob", "alice", { text: "hi" });
    const bob = await openChat(server, "bob");
    const chat = await openChat(server);
    const recorder = new Recorder(chat);
    const heard: string[] = [];

    const unsubscribe = chat.presence.subscribe("bob", ({ presence }) => heard.push(presence));
    await recorder.until(() => heard.length === 1);
    server.isReachable = false;
    await bob.close();
    await recorder.until(() => chat.status === "reconnecting");
    const admin = { app, user: "backend", admin: true };
    await vi.waitUntil(async () => !(await server.engine.presence.get(admin, ["bob"]))[0]?.online);
    server.isReachable = true;
    await recorder.until(() => heard.length === 3);
    unsubscribe();
    await openChat(server, "bob");
    await recorder.until(() => chat.presence.known("bob")?.presence === "online");

    expect(heard).toEqual(["online", "unknown", "offline"]);
  });

  test("is unknown while this client is away, and asked for again", async () => {
    const server = await openServer();
    await server.send("bob", "alice", { text: "hi" });
    await openChat(server, "bob");
    const chat = await openChat(server);
    const recorder = new Recorder(chat);
    await chat.presence.get("bob");

    server.isReachable = false;
    await recorder.until(() => chat.status === "reconnecting");
    const away = chat.presence.known("bob");
    server.isReachable = true;
    await recorder.until(() => chat.presence.known("bob")?.presence === "online");

    expect(away).toEqual({ user: "bob", presence: "unknown", lastSeen: null });
    expect(recorder.all("presence").map(({ presence }) => presence)).toEqual(["online", "unknown", "online"]);
  });
});

describe("typing", () => {
  test("is shown to the other, and ends with the message", async () => {
    const server = await openServer();
    await server.send("bob", "alice", { text: "hi" });
    const alice = await openChat(server);
    const bob = await openChat(server, "bob");
    const recorder = new Recorder(alice);

    bob.conversation("alice").setTyping(true);
    await recorder.until(() => alice.conversation("bob").typing.length === 1);
    await bob.send("alice", { text: "there" });
    await recorder.until(() => alice.conversation("bob").typing.length === 0);

    expect(recorder.all("typing")).toEqual([
      { conversWith: "bob", user: "bob", typing: true },
      { conversWith: "bob", user: "bob", typing: false },
    ]);
  });

  test("is sent every three seconds while it goes on, and ends by itself", async () => {
    const server = await openServer();
    const clock = new ManualClock();
    const chat = await openChat(server, "alice", { clock });
    const typingIn = ({ payload }: EdgePublish) => {
      const { type, typing } = payload as { type?: string; typing?: boolean };
      return type === "typing" ? [typing] : [];
    };
    const sent = () => server.edge.published.flatMap(typingIn);

    for (let i = 0; i < 8; i++) {
      chat.conversation("bob").setTyping(true);
      await clock.advance(500);
    }
    await server.edge.until(() => sent().length === 2);
    await clock.advance(6_000);
    await server.edge.until(() => sent().length === 3);

    expect(sent()).toEqual([true, true, false]);
  });

  test("of others ends when this client is cut off: it would not hear of the end", async () => {
    const server = await openServer();
    const chat = await openChat(server, "alice", { backoff: () => 60_000 });
    const recorder = new Recorder(chat);
    const sign = { type: "typing", conversWith: "group-1", user: "bob", typing: true };
    deliver(server, topics.ephemeral(app, "alice"), sign);
    await recorder.until(() => chat.conversation("group-1").typing.includes("bob"));

    server.edge.drop();
    await recorder.until(() => chat.status === "reconnecting");

    expect(chat.conversation("group-1").typing).toEqual([]);
    expect(recorder.all("typing")).toHaveLength(2);
  });

  test("of somebody who went away ends after six seconds", async () => {
    const server = await openServer();
    const clock = new ManualClock();
    const chat = await openChat(server, "alice", { clock });
    const recorder = new Recorder(chat);
    const sign = { type: "typing", conversWith: "group-1", user: "bob", typing: true };
    deliver(server, topics.ephemeral(app, "alice"), sign);
    await recorder.until(() => chat.conversation("group-1").typing.includes("bob"));

    await clock.advance(6_000);
    await settle();

    expect(chat.conversation("group-1").typing).toEqual([]);
  });
});

describe("what the inbox does not know", () => {
  test("is left out: unknown topics, kinds and keys, and payloads of another form", async () => {
    const server = await openServer();
    const chat = await openChat(server);
    const recorder = new Recorder(chat);
    const inbox = topics.inbox(app, "alice").replace("/#", "");

    deliver(server, `${inbox}/something/new`, { a: 1 });
    deliver(server, topics.messageAdded(app, "alice", "bob"), "no object");
    deliver(server, topics.messageAdded(app, "alice", "bob"), { text: "no number" });
    deliver(server, topics.ephemeral(app, "alice"), { type: "dancing" });
    deliver(server, topics.answer(app, "alice", "all"), { request_id: "nobody's", code: "ok" });
    const { epoch } = server.engine;
    const poll = { type: "poll_opened", conversWith: "bob", seq: 1, epoch, timestamp: 1, sender: "bob" };
    deliver(server, topics.event(app, "alice", "bob"), { ...poll, data: { x: 1 }, later: true });
    const message = {
      message_id: "m",
      sender: "bob",
      recipient: "alice",
      app_id: app,
      timestamp: 2,
      status: 150,
    };
    const further = { attributes: null, metadata: null, brand_new: [1] };
    deliver(server, topics.messageAdded(app, "alice", "bob"), { ...message, seq: 2, text: "hi", ...further });
    await recorder.until(() => recorder.texts("bob").length === 1);

    expect(recorder.all("error")).toEqual([]);
    expect(recorder.all("event")).toMatchObject([{ type: "poll_opened", seq: 1, data: { x: 1 } }]);
    expect(recorder.all("message")[0]?.message).toMatchObject({
      attributes: {},
      metadata: null,
      wire: { brand_new: [1] },
    });
  });
});
