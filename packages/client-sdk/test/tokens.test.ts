import { ChatError } from "@chat21/protocol";
import { describe, expect, test } from "vitest";
import { systemClock } from "../src/connection/clock.ts";
import type { Chat } from "../src/index.ts";
import { memoryStorage } from "../src/index.ts";
import { ManualClock, settle } from "./support/manual-clock.ts";
import type { TestServer } from "./support/test-server.ts";
import { connectTo, openChat, openServer, Recorder } from "./support/world.ts";

const hour = 3_600_000;

/** Keeps sending to alice while `work` is done; answers the texts. */
async function underTraffic(server: TestServer, work: () => Promise<void>): Promise<string[]> {
  const texts: string[] = [];
  let done = false;
  const traffic = async () => {
    while (!done) {
      texts.push(String(texts.length));
      await server.send("bob", "alice", { text: texts.at(-1) });
      await settle();
    }
  };
  const sending = traffic();
  await work();
  done = true;
  await sending;
  return texts;
}

/** A client whose token is about to end, and what its provider gave out. */
async function openExpiring(server: TestServer, clientId: (count: number) => string | undefined) {
  const clock = new ManualClock();
  let count = 0;
  const chat = await openChat(server, "alice", {
    clock,
    token: () => {
      count += 1;
      const bound = clientId(count);
      const more = bound === undefined ? {} : { profile: "strict" as const, clientId: bound };
      return server.token("alice", { ttlMs: hour, ...more });
    },
  });
  return { chat, clock, given: () => count };
}

async function renewal(server: TestServer, chat: Chat, clock: ManualClock): Promise<void> {
  const [old] = server.edge.clients;
  await clock.advance(0.8 * hour);
  await server.edge.until(
    () => server.edge.clients.length > 0 && !server.edge.clients.includes(old as never),
  );
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
    expect(server.edge.clients).toHaveLength(1);
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
        return server.token("alice", { ttlMs: hour });
      },
    });
    const recorder = new Recorder(chat);
    const [old] = server.edge.clients;

    await clock.advance(0.8 * hour);
    expect(server.edge.clients).toEqual([old]);
    await clock.advance(2_000);
    await server.edge.until(() => server.edge.clients.length === 1 && server.edge.clients[0] !== old);

    expect(count).toBe(3);
    expect(recorder.all("status")).toEqual([]);
  });
});

describe("a token that the server refuses", () => {
  const foreign = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSIsImFwcF9pZCI6InRpbGVjaGF0In0.c29tZWJvZHk";

  test("is replaced by another one from the provider", async () => {
    const server = await openServer();
    let count = 0;

    const chat = await openChat(server, "alice", {
      token: () => (++count === 1 ? foreign : server.token("alice")),
    });

    expect(chat.status).toBe("online");
    expect(count).toBe(2);
  });

  test("closes the client when there is no other", async () => {
    const server = await openServer();
    const chat = await openChat(server);
    const recorder = new Recorder(chat);

    await server.revoke("alice");

    expect(await chat.closed).toMatchObject({ code: "unauthorized" });
    expect(recorder.all("status").at(-1)).toMatchObject({
      status: "closed",
      reason: { code: "unauthorized" },
    });
  });

  test("closes the client with token_expired when its time is over", async () => {
    const server = await openServer();
    const chat = await openChat(server, "alice", {
      token: server.token("alice", { ttlMs: hour }),
      clock: { ...systemClock, now: () => server.now },
    });

    server.pass(hour + 1_000);
    server.edge.drop();

    expect(await chat.closed).toMatchObject({ code: "token_expired" });
  });

  test("is recognised also when the server closes the socket without a word", async () => {
    const server = await openServer();
    const links: string[] = [];
    const silent = {
      openLink: async ({ token }: { readonly token: { readonly text: string } }) => {
        links.push(token.text);
        throw new ChatError("connection_lost");
      },
    };

    await expect(connectTo(server, "alice", { token: foreign }, silent)).rejects.toMatchObject({
      code: "unauthorized",
    });
    expect(links).toEqual([foreign]);
  });

  test("makes connect reject", async () => {
    const server = await openServer();

    await expect(connectTo(server, "alice", { token: foreign })).rejects.toMatchObject({
      code: "unauthorized",
    });
  });

  test("closes the client after three that were refused in a row", async () => {
    const server = await openServer();
    let count = 0;
    const token = () => {
      count += 1;
      return `${foreign}${count}`;
    };

    await expect(connectTo(server, "alice", { token })).rejects.toMatchObject({ code: "unauthorized" });

    expect(count).toBe(4);
  });

  test("is replaced once in the middle of a REST call", async () => {
    const server = await openServer();
    const given: string[] = [];
    const chat = await openChat(server, "alice", {
      token() {
        given.push(server.token("alice"));
        return given.at(-1) ?? "";
      },
    });
    server.respond = ({ token }) =>
      token === given[0] ? { status: 401, body: { code: "token_expired" } } : undefined;

    await expect(chat.conversation("bob").history()).resolves.toEqual({ messages: [], before: null });

    expect(given).toHaveLength(2);
  });
});

describe("a token provider", () => {
  test("must stay with one user", async () => {
    const server = await openServer();
    let count = 0;
    const chat = await openChat(server, "alice", {
      token: () => server.token(++count === 1 ? "alice" : "mallory"),
    });

    await server.revoke("alice");

    expect(await chat.closed).toMatchObject({ code: "forbidden" });
  });

  test("may refuse for good with a ChatError", async () => {
    const server = await openServer();
    const token = () => Promise.reject(new ChatError("token_revoked", "signed out"));

    await expect(connectTo(server, "alice", { token })).rejects.toMatchObject({ code: "token_revoked" });
  });
});

describe("a token provider that gives no token", () => {
  const failures: [string, () => string | Promise<string>, RegExp][] = [
    ["throws", () => Promise.reject(new Error("503")), /the token provider failed: Error: 503/],
    ["answers a page", () => "<!doctype html>", /got an HTML page/],
    ["answers JSON", () => '{"token":"a.b.c"}', /got JSON: give the token inside/],
    ["answers a header", () => "Bearer a.b.c", /without Bearer/],
    ["answers nothing", () => "", /expected a Chat21 token/],
  ];

  test.each(failures)("and %s is asked again, by the first call, too", async (_, fail) => {
    const server = await openServer();
    let count = 0;

    const chat = await openChat(server, "alice", {
      token: () => (++count < 3 ? fail() : `${server.token("alice")}\n`),
    });

    expect(chat.status).toBe("online");
    expect(count).toBe(3);
  });

  test.each(failures)(
    "and %s makes connect reject when its time is over, and says why",
    async (_, token, message) => {
      const server = await openServer();

      const connecting = connectTo(server, "alice", { token, connectTimeoutMs: 100, backoff: () => 10 });

      await expect(connecting).rejects.toMatchObject({
        code: "connection_lost",
        message: expect.stringMatching(message),
      });
    },
  );

  test("because it never answers makes connect reject when its time is over", async () => {
    const server = await openServer();
    const token = () => new Promise<string>(() => undefined);

    await expect(connectTo(server, "alice", { token, connectTimeoutMs: 50 })).rejects.toMatchObject({
      code: "timeout",
    });
  });

  test.each(failures.slice(0, 1).concat([["hangs", () => new Promise(() => undefined), /./]]))(
    "and %s lets an offline start begin as the user of the last time",
    async (_, fail) => {
      const server = await openServer();
      const storage = memoryStorage();
      const before = await openChat(server, "alice", { storage, offlineStart: true });
      await before.close();
      let isBack = false;

      const chat = await openChat(server, "alice", {
        storage,
        offlineStart: true,
        token: () => (isBack ? server.token("alice") : fail()),
      });

      expect([chat.user.id, chat.app, chat.status]).toEqual(["alice", "tilechat", "connecting"]);
      isBack = true;
      await chat.close();
      expect(await chat.closed).toBeNull();
    },
  );

  test("makes an offline start reject where nobody has signed in before", async () => {
    const server = await openServer();
    const token = () => Promise.reject(new Error("offline"));

    const connecting = connectTo(server, "alice", { token, offlineStart: true, connectTimeoutMs: 50 });

    await expect(connecting).rejects.toMatchObject({ code: "connection_lost" });
  });
});

describe("an answer that is not of a Chat21 server", () => {
  test.each([
    [401, "<h1>Unauthorized</h1>"],
    [403, "<h1>Forbidden</h1>"],
    [404, "<h1>Not found</h1>"],
    [413, "<h1>Too large</h1>"],
    [502, "Permission denied"],
    [503, "Unauthorized."],
    [503, { code: "unauthorized" }],
    [200, "<h1>Sign in to the hotel's network</h1>"],
  ])("never closes the client: %i %s", async (status, body) => {
    const server = await openServer();
    const chat = await openChat(server);
    const recorder = new Recorder(chat);
    let others = 0;
    server.respond = () => (++others > 5 ? undefined : { status, body });
    server.edge.fateOf = () => "lose";
    await server.send("bob", "alice", { text: "missed" });
    server.edge.fateOf = () => "deliver";

    server.edge.drop();
    await recorder.until(() => recorder.texts("bob").includes("missed") && chat.status === "online");

    expect(recorder.all("status")).not.toContainEqual(expect.objectContaining({ status: "closed" }));
  });

  test("is told apart from a refusal when a socket is closed without a word", async () => {
    const server = await openServer();
    server.respond = () => ({ status: 403, body: "<h1>Forbidden</h1>" });
    const silent = { openLink: () => Promise.reject(new ChatError("connection_lost")) };

    const clock = new ManualClock();
    const failed = Promise.withResolvers<void>();
    const log = { debug() {}, warn() {}, info: () => failed.resolve() };

    const outcome = connectTo(server, "alice", { clock, log }, silent).catch((thrown) => thrown);
    await failed.promise;
    await clock.advance(30_000);

    expect(await outcome).toMatchObject({
      code: "connection_lost",
      message: expect.stringMatching(/^no Chat21 server at http:.*: it answered 403$/),
    });
  });
});

describe("a sync that the server refuses", () => {
  test.each([
    ["because the request is too large", 413, "payload_too_large"],
    ["because it may not be asked", 403, "forbidden"],
    ["because it is malformed", 400, "bad_request"],
    ["because the server is in trouble", 500, "internal"],
  ])("%s does not close the client: it tries again", async (_, status, code) => {
    const server = await openServer();
    const chat = await openChat(server);
    const recorder = new Recorder(chat);
    let refusals = 0;
    server.respond = ({ path }) => {
      if (!path.endsWith("/sync") || ++refusals > 5) return undefined;
      return { status, body: { code } };
    };
    server.edge.fateOf = () => "lose";
    await server.send("bob", "alice", { text: "missed" });
    server.edge.fateOf = () => "deliver";

    server.edge.drop();
    await recorder.until(() => recorder.texts("bob").includes("missed") && chat.status === "online");

    expect(chat.status).toBe("online");
    expect(recorder.all("status")).not.toContainEqual(expect.objectContaining({ status: "closed" }));
  });
});
