import { ChatError } from "@chat21/protocol";
import type { FakeServer } from "@chat21/testkit/fake-server";
import { fakeToken } from "@chat21/testkit/fake-server";
import { describe, expect, test } from "vitest";
import type { Chat } from "../src/index.ts";
import { connect } from "../src/index.ts";
import { ManualClock } from "./support/manual-clock.ts";
import { openChat, openServer, Recorder } from "./support/world.ts";

const hour = 3_600_000;

/** Keeps sending to alice while `work` is done; answers the texts. */
async function underTraffic(server: FakeServer, work: () => Promise<void>): Promise<string[]> {
  const texts: string[] = [];
  let done = false;
  const traffic = async () => {
    while (!done) {
      texts.push(String(texts.length));
      server.send("bob", "alice", { text: texts.at(-1) });
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  };
  const sending = traffic();
  await work();
  done = true;
  await sending;
  return texts;
}

/** A client whose token is about to end, and what its provider gave out. */
async function openExpiring(server: FakeServer, clientId: (count: number) => string | undefined) {
  const clock = new ManualClock();
  let count = 0;
  const chat = await openChat(server, "alice", {
    clock,
    token: () => {
      count += 1;
      const bound = clientId(count);
      return fakeToken({
        user: "alice",
        tokenId: `t-${count}`,
        expiresAt: server.log.now + hour,
        ...(bound === undefined ? {} : { clientId: bound }),
      });
    },
  });
  return { chat, clock, given: () => count };
}

async function renewal(server: FakeServer, chat: Chat, clock: ManualClock): Promise<void> {
  const old = server.connections[0];
  await clock.advance(0.8 * hour);
  await server.until(() => server.connections.length > 0 && !server.connections.includes(old as never));
  await chat.send("bob", { text: "through the new one" });
}

describe("before a token ends", () => {
  test.each([
    ["bound to a new client id each", (count: number) => `device-${count}`],
    ["bound to one client id, so that the old connection is evicted", () => "device-1"],
    ["bound to none", () => undefined],
  ])("the connection is replaced without losing or doubling an event: tokens %s", async (_, clientId) => {
    const server = await openServer();
    const { chat, clock, given } = await openExpiring(server, clientId);
    const recorder = new Recorder(chat);

    const texts = await underTraffic(server, () => renewal(server, chat, clock));
    // One more than the traffic: what went through the new connection.
    await recorder.until(() => chat.conversations.get("bob")?.head === texts.length + 1);

    const received = recorder.texts("bob").filter((text) => text !== "through the new one");
    expect(received).toEqual(texts);
    expect(recorder.all("status")).toEqual([]);
    expect(given()).toBe(2);
    expect(server.connections).toHaveLength(1);
  });

  test("the old connection stays while the provider fails, and it is asked again", async () => {
    const server = await openServer();
    const clock = new ManualClock();
    let count = 0;
    const chat = await openChat(server, "alice", {
      clock,
      token: async () => {
        count += 1;
        if (count === 2) throw new Error("sign-in service is down");
        return fakeToken({ user: "alice", tokenId: `t-${count}`, expiresAt: server.log.now + hour });
      },
    });
    const recorder = new Recorder(chat);
    const old = server.connections[0];

    await clock.advance(0.8 * hour);
    expect(server.connections).toEqual([old]);
    await clock.advance(2_000);
    await server.until(() => server.connections.length === 1 && server.connections[0] !== old);

    expect(count).toBe(3);
    expect(recorder.all("status")).toEqual([]);
  });
});

describe("a token that the server refuses", () => {
  test("is replaced by another one from the provider", async () => {
    const server = await openServer();
    server.accept = (token) => (token === fakeToken({ user: "alice", tokenId: "t-2" }) ? 0 : 5);
    let count = 0;

    const chat = await openChat(server, "alice", {
      token: () => fakeToken({ user: "alice", tokenId: `t-${++count}` }),
    });

    expect(chat.status).toBe("online");
    expect(count).toBe(2);
  });

  test("closes the client when there is no other", async () => {
    const server = await openServer();
    const chat = await openChat(server);
    const recorder = new Recorder(chat);
    server.accept = () => 5;

    server.drop();

    expect(await chat.closed).toMatchObject({ code: "unauthorized" });
    expect(recorder.all("status").at(-1)).toMatchObject({
      status: "closed",
      reason: { code: "unauthorized" },
    });
  });

  test("closes the client with token_expired when its time is over", async () => {
    const server = await openServer();
    const token = fakeToken({ user: "alice", expiresAt: server.log.now - 1_000 });
    const chat = await openChat(server, "alice", { token });
    server.accept = () => 5;
    server.drop();

    expect(await chat.closed).toMatchObject({ code: "token_expired" });
  });

  test("is recognised also when the server closes the socket without a word", async () => {
    const server = await openServer();
    const chat = await openChat(server);
    server.accept = () => null;
    server.respond = () => ({ status: 403, body: { success: false, msg: "Unauthorized." } });

    server.drop();

    expect(await chat.closed).toMatchObject({ code: "unauthorized" });
  });

  test("makes connect reject", async () => {
    const server = await openServer();
    server.accept = () => 5;

    await expect(connect({ url: server.url, token: fakeToken({ user: "alice" }) })).rejects.toMatchObject({
      code: "unauthorized",
    });
  });

  test("closes the client after three that were refused in a row", async () => {
    const server = await openServer();
    server.accept = () => 4;
    let count = 0;
    const token = () => fakeToken({ user: "alice", tokenId: `t-${++count}` });

    await expect(connect({ url: server.url, token, backoff: () => 1 })).rejects.toMatchObject({
      code: "unauthorized",
    });

    expect(count).toBe(4);
  });

  test("is replaced once in the middle of a REST call", async () => {
    const server = await openServer();
    let count = 0;
    const chat = await openChat(server, "alice", {
      token: () => fakeToken({ user: "alice", tokenId: `t-${++count}` }),
    });
    const first = fakeToken({ user: "alice", tokenId: "t-1" });
    server.respond = ({ token }) =>
      token === first ? { status: 401, body: { code: "token_expired" } } : undefined;

    await expect(chat.conversation("bob").history()).resolves.toEqual({ messages: [], before: null });

    expect(count).toBe(2);
  });
});

describe("a token provider", () => {
  test("must stay with one user", async () => {
    const server = await openServer();
    let count = 0;
    const chat = await openChat(server, "alice", {
      token: () => fakeToken({ user: ++count === 1 ? "alice" : "mallory" }),
    });
    server.accept = () => 5;

    server.drop();

    expect(await chat.closed).toMatchObject({ code: "forbidden" });
  });

  test("may refuse for good with a ChatError", async () => {
    const server = await openServer();
    const token = () => Promise.reject(new ChatError("token_revoked", "signed out"));

    await expect(connect({ url: server.url, token })).rejects.toMatchObject({ code: "token_revoked" });
  });
});
