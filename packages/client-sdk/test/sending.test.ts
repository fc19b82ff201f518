import { ChatError } from "@chat21/protocol";
import type { EdgePublish } from "@chat21/testkit";
import { describe, expect, test } from "vitest";
import { actor } from "./support/test-server.ts";
import { openChat, openServer, Recorder } from "./support/world.ts";

const isMessage = ({ topic }: EdgePublish) => topic.endsWith("/outgoing");

describe("sending", () => {
  test("resolves with the server's number when the own copy comes back", async () => {
    const server = await openServer();
    const chat = await openChat(server);

    const first = await chat.send("bob", { text: "one" });
    const second = await chat.send("bob", { text: "two" });

    expect([first.seq, second.seq]).toEqual([1, 2]);
    expect(first.message).toMatchObject({
      text: "one",
      state: "sent",
      seq: 1,
      own: true,
      conversWith: "bob",
    });
    expect(chat.conversation("bob").messages.map(({ text, seq }) => [text, seq])).toEqual([
      ["one", 1],
      ["two", 2],
    ]);
  });

  test("shows a message at once, and the same message with its number later", async () => {
    const server = await openServer();
    const chat = await openChat(server);
    const conversation = chat.conversation("bob");

    const sent = chat.send("bob", { text: "hi" });
    const [queued] = conversation.messages;
    await sent;

    expect(queued).toMatchObject({ text: "hi", seq: null, state: "queued" });
    expect(conversation.messages).toHaveLength(1);
    expect(conversation.messages[0]).toMatchObject({ key: queued?.key, seq: 1, state: "sent" });
  });

  test("goes through the states queued, sending and sent", async () => {
    const server = await openServer();
    const chat = await openChat(server);
    const recorder = new Recorder(chat);

    await chat.send("bob", { text: "hi" });

    expect(recorder.all("messageUpdated").map(({ message }) => message.state)).toEqual([
      "queued",
      "sending",
      "sent",
    ]);
    expect(recorder.all("message")).toHaveLength(1);
  });

  test("rejects with the server's code, and keeps the message as failed", async () => {
    const server = await openServer();
    await server.createGroup("group-1", "bob");
    const chat = await openChat(server);

    await expect(chat.send("group-1", { text: "hi" })).rejects.toMatchObject({
      code: "not_member",
      retryable: false,
    });

    expect(chat.outbox.list()).toMatchObject([{ state: "failed", error: { code: "not_member" } }]);
    expect(chat.outbox.pending).toBe(0);
  });

  test("sends a failed message again on demand", async () => {
    const server = await openServer();
    await server.createGroup("group-1", "bob");
    const chat = await openChat(server);
    const recorder = new Recorder(chat);
    await chat.send("group-1", { text: "hi" }).catch(() => undefined);

    await server.engine.groups.addMember(actor("bob"), "group-1", "alice");
    chat.outbox.retry(chat.outbox.list()[0]?.clientMessageId ?? "");
    await recorder.until(() => recorder.texts("group-1").includes("hi"));

    expect(chat.outbox.list()).toEqual([]);
    expect((await server.texts("bob", "group-1")).filter((text) => text === "hi")).toHaveLength(1);
  });

  test("gives a discarded message up", async () => {
    const server = await openServer();
    const chat = await openChat(server);
    server.edge.loses = () => true;
    const sent = chat.send("bob", { text: "hi" }, { clientMessageId: "m-1" });
    const refused = expect(sent).rejects.toBeInstanceOf(ChatError);
    await server.edge.until(() => server.edge.published.some(isMessage));

    await chat.outbox.discard("m-1");

    await refused;
    expect(chat.outbox.list()).toEqual([]);
    expect(chat.conversation("bob").messages).toEqual([]);
  });

  test("waits as long as the server asks when it is too fast, and keeps the order", async () => {
    // The three leave within half a second, also on a busy machine.
    const server = await openServer({ messageRate: { capacity: 1, refillPerMinute: 120 } });
    const chat = await openChat(server);

    await Promise.all(["a", "b", "c"].map((text) => chat.send("bob", { text })));

    expect(await server.texts("bob", "alice")).toEqual(["a", "b", "c"]);
    expect(server.edge.published.filter(isMessage).length).toBeGreaterThan(3);
  });

  test("names the device, so that an error finds back", async () => {
    const server = await openServer();
    const chat = await openChat(server, "alice", { deviceId: "phone-1" });

    await chat.send("bob", { text: "hi" });

    expect(server.edge.published.find(isMessage)?.payload).toMatchObject({
      device: "phone-1",
      channel_type: "direct",
      sender_fullname: "alice",
    });
  });

  test.each([
    ["an empty id", "", { text: "x" }, "invalid_id"],
    ["an id that is the wire form of another", "a^2Eb", { text: "x" }, "invalid_id"],
    ["a text that is too long", "bob", { text: "x".repeat(110_000) }, "payload_too_large"],
    ["a key of the server", "bob", { extra: { sender: "carol" } }, "bad_request"],
  ])("refuses %s without asking the server", async (_, to, draft, code) => {
    const server = await openServer();
    const chat = await openChat(server);

    await expect(chat.send(to, draft)).rejects.toMatchObject({ code });

    expect(chat.outbox.list()).toEqual([]);
  });
});

describe("a repeated client message id", () => {
  test("is stored once, and both calls get the same answer", async () => {
    const server = await openServer();
    const chat = await openChat(server);

    const [first, again] = await Promise.all([
      chat.send("bob", { text: "hi" }, { clientMessageId: "m-1" }),
      chat.send("bob", { text: "hi" }, { clientMessageId: "m-1" }),
    ]);
    const later = await chat.send("bob", { text: "hi" }, { clientMessageId: "m-1" });

    expect(again).toEqual(first);
    expect(later.seq).toBe(first.seq);
    expect(await server.texts("bob", "alice")).toEqual(["hi"]);
    expect(chat.conversation("bob").messages).toHaveLength(1);
  });

  test("is refused for another payload that waits", async () => {
    const server = await openServer();
    const chat = await openChat(server);
    server.edge.loses = () => true;
    void chat.send("bob", { text: "hi" }, { clientMessageId: "m-1" }).catch(() => undefined);

    await expect(chat.send("bob", { text: "other" }, { clientMessageId: "m-1" })).rejects.toMatchObject({
      code: "idempotency_conflict",
    });
  });
});
