import { topics } from "@chat21/protocol";
import type { FakeServer } from "@chat21/testkit/fake-server";
import { describe, expect, test } from "vitest";
import { ManualClock, settle } from "./support/manual-clock.ts";
import { openChat, openServer, Recorder } from "./support/world.ts";

function answerPresence(server: FakeServer, presence: "online" | "offline"): void {
  server.respond = ({ path, query }) => {
    if (path !== "/v1/tilechat/presence") return undefined;
    const users = (query.get("users") ?? "").split(",");
    return { status: 200, body: { presence: users.map((user) => ({ user, presence, last_seen: 5 })) } };
  };
}

describe("presence", () => {
  test("is asked for, and kept up to date by what comes live", async () => {
    const server = await openServer();
    answerPresence(server, "online");
    const chat = await openChat(server);
    const recorder = new Recorder(chat);

    expect(await chat.presence.get("bob")).toEqual({ user: "bob", presence: "online", lastSeen: null });
    const gone = { type: "presence", user: "bob", presence: "offline", last_seen: 7 };
    server.deliver(topics.ephemeral("tilechat", "alice"), gone, 0);
    await recorder.until(() => chat.presence.known("bob")?.presence === "offline");

    expect(recorder.all("presence")).toEqual([
      { user: "bob", presence: "online", lastSeen: null },
      { user: "bob", presence: "offline", lastSeen: 7 },
    ]);
  });

  test("of a subscribed user is told at once and after each change, also of changes missed while offline", async () => {
    const server = await openServer();
    answerPresence(server, "online");
    const chat = await openChat(server);
    const recorder = new Recorder(chat);
    const heard: string[] = [];

    const unsubscribe = chat.presence.subscribe("bob", ({ presence }) => heard.push(presence));
    await recorder.until(() => heard.length === 1);
    answerPresence(server, "offline");
    server.drop();
    await recorder.until(() => heard.length === 2);
    unsubscribe();
    answerPresence(server, "online");
    await chat.presence.get("bob");

    expect(heard).toEqual(["online", "offline"]);
  });
});

describe("typing", () => {
  test("is shown to the other, and ends with the message", async () => {
    const server = await openServer();
    server.send("bob", "alice", { text: "hi" });
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
    const sent = () =>
      server.published
        .filter(({ payload }) => payload["type"] === "typing")
        .map(({ payload }) => payload["typing"]);

    for (let i = 0; i < 8; i++) {
      chat.conversation("bob").setTyping(true);
      await clock.advance(500);
    }
    await server.until(() => sent().length === 2);
    await clock.advance(6_000);
    await server.until(() => sent().length === 3);

    expect(sent()).toEqual([true, true, false]);
  });

  test("of somebody who went away ends after six seconds", async () => {
    const server = await openServer();
    const clock = new ManualClock();
    const chat = await openChat(server, "alice", { clock });
    const recorder = new Recorder(chat);
    const sign = { type: "typing", conversWith: "group-1", user: "bob", typing: true };
    server.deliver(topics.ephemeral("tilechat", "alice"), sign, 0);
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
    const inbox = "apps/tilechat/users/alice";

    server.deliver(`${inbox}/something/new`, { a: 1 });
    server.deliver(topics.messageAdded("tilechat", "alice", "bob"), "no object");
    server.deliver(topics.messageAdded("tilechat", "alice", "bob"), { text: "no number" });
    server.deliver(topics.ephemeral("tilechat", "alice"), { type: "dancing" }, 0);
    server.deliver(topics.answer("tilechat", "alice", "all"), { request_id: "nobody's", code: "ok" });
    server.announce(
      server.log.append({ conversation: "alice.bob", sender: "bob", type: "poll_opened", body: { x: 1 } }),
    );
    server.send("bob", "alice", { text: "hi", attributes: null, metadata: null, brand_new: [1] });
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
