import { ChatError } from "@chat21/protocol";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { Seams } from "../src/api/chat-client.ts";
import { connect } from "../src/index.ts";
import { linksTo } from "./support/edge-link.ts";
import { restoredDisk } from "./support/restored-disk.ts";
import { connectTo, openChat, openServer, Recorder } from "./support/world.ts";

describe("after a lost connection", () => {
  test("every missed message is announced once, in order, and live ones go on", async () => {
    const server = await openServer();
    const chat = await openChat(server);
    const recorder = new Recorder(chat);
    await server.send("bob", "alice", { text: "1" });
    await recorder.until(() => recorder.texts("bob").length === 1);

    server.isReachable = false;
    await recorder.until(() => chat.status === "reconnecting");
    for (const text of ["2", "3", "4"]) await server.send("bob", "alice", { text });
    server.isReachable = true;
    await recorder.until(() => chat.status === "online");
    await server.send("bob", "alice", { text: "5" });
    await recorder.until(() => recorder.texts("bob").length === 5);

    expect(recorder.texts("bob")).toEqual(["1", "2", "3", "4", "5"]);
    expect(recorder.all("message").map(({ origin }) => origin)).toEqual([
      "live",
      "sync",
      "sync",
      "sync",
      "live",
    ]);
    expect(chat.conversation("bob").messages.map(({ text }) => text)).toEqual(["1", "2", "3", "4", "5"]);
  });

  test("live events that overtake the catching up are put in their place", async () => {
    const server = await openServer();
    const chat = await openChat(server);
    const recorder = new Recorder(chat);
    server.edge.fateOf = () => "lose";
    await server.send("bob", "alice", { text: "1" });
    server.edge.fateOf = () => "deliver";
    server.respond = async ({ path }) => {
      if (!path.endsWith("/sync")) return undefined;
      server.respond = () => undefined;
      // Behind the subscription, before the answer: it comes live, and in the answer.
      await server.send("bob", "alice", { text: "2" });
      return undefined;
    };

    server.edge.drop();
    await recorder.until(() => recorder.texts("bob").length === 2);

    expect(recorder.texts("bob")).toEqual(["1", "2"]);
  });

  test("what was being sent is sent again, and stored once", async () => {
    const server = await openServer();
    const chat = await openChat(server);
    const isCopy = ({ topic }: { readonly topic: string }) => topic.endsWith("/clientadded");
    const lost = Promise.withResolvers<void>();
    server.edge.fateOf = (frame) => {
      if (isCopy(frame)) lost.resolve();
      return isCopy(frame) ? "lose" : "deliver";
    };

    const sent = chat.send("bob", { text: "hi" });
    await lost.promise;
    server.edge.fateOf = () => "deliver";
    server.edge.drop();

    expect(await sent).toMatchObject({ seq: 1 });
    expect(await server.texts("bob", "alice")).toEqual(["hi"]);
    expect(chat.outbox.list()).toEqual([]);
  });

  test("messages that were written offline are sent in order", async () => {
    const server = await openServer();
    const chat = await openChat(server);
    const recorder = new Recorder(chat);
    server.isReachable = false;
    await recorder.until(() => chat.status === "reconnecting");

    const sent = Promise.all(["a", "b", "c"].map((text) => chat.send("bob", { text })));
    expect(chat.conversation("bob").messages.map(({ state }) => state)).toEqual([
      "queued",
      "queued",
      "queued",
    ]);
    server.isReachable = true;

    expect((await sent).map(({ seq }) => seq)).toEqual([1, 2, 3]);
  });

  test("a message that only the live stream lost is fetched when the next one comes", async () => {
    const server = await openServer();
    const chat = await openChat(server);
    const recorder = new Recorder(chat);
    await server.send("bob", "alice", { text: "1" });
    server.edge.fateOf = () => "lose";
    await server.send("bob", "alice", { text: "2" });
    server.edge.fateOf = () => "deliver";
    await server.send("bob", "alice", { text: "3" });

    await recorder.until(() => recorder.texts("bob").length === 3);

    expect(recorder.texts("bob")).toEqual(["1", "2", "3"]);
    expect(server.requests.filter(({ path }) => path.endsWith("/events"))).toHaveLength(1);
  });

  test("numbers that are not for this user are asked for once only", async () => {
    const server = await openServer();
    await server.createGroup("group-1", "bob", "alice");
    const chat = await openChat(server);
    const recorder = new Recorder(chat);
    await server.send("bob", "group-1", { text: "1" });
    await server.send("bob", "group-1", { text: "2", attributes: { hiddenFor: "alice" } });
    await server.send("bob", "group-1", { text: "3" });
    await recorder.until(() => recorder.texts("group-1").length === 2);
    const asked = server.requests.length;

    await server.send("bob", "group-1", { text: "4" });
    await recorder.until(() => recorder.texts("group-1").length === 3);

    expect(recorder.texts("group-1")).toEqual(["1", "3", "4"]);
    expect(server.requests).toHaveLength(asked);
  });

  test("a message that was delivered twice is announced once", async () => {
    const server = await openServer();
    const chat = await openChat(server);
    const recorder = new Recorder(chat);
    server.edge.fateOf = () => "twice";

    await server.send("bob", "alice", { text: "1" });
    await server.send("bob", "alice", { text: "2" });
    await recorder.until(() => recorder.texts("bob").includes("2"));
    await chat.send("bob", { text: "3" });

    expect(recorder.texts("bob")).toEqual(["1", "2", "3"]);
  });

  test("more than one answer holds is fetched page by page", async () => {
    const server = await openServer();
    const chat = await openChat(server);
    const recorder = new Recorder(chat);
    await server.send("bob", "alice", { text: "0" });
    await recorder.until(() => recorder.texts("bob").length === 1);
    server.isReachable = false;
    for (let i = 1; i <= 650; i++) await server.send("bob", "alice", { text: String(i) });
    server.isReachable = true;

    await recorder.until(() => recorder.texts("bob").length === 651);

    expect(recorder.texts("bob")).toEqual(Array.from({ length: 651 }, (_, i) => String(i)));
    expect(recorder.all("reset")).toEqual([]);
  });

  test("too much to fetch is told as a reset, and the newest messages are held", async () => {
    const server = await openServer();
    const chat = await openChat(server, "alice", { maxCatchUp: 90 });
    const recorder = new Recorder(chat);
    await server.send("bob", "alice", { text: "0" });
    await recorder.until(() => recorder.texts("bob").length === 1);
    server.isReachable = false;
    for (let i = 1; i <= 300; i++) await server.send("bob", "alice", { text: String(i) });
    server.isReachable = true;
    await recorder.until(() => recorder.all("reset").length === 1 && chat.status === "online");

    await server.send("bob", "alice", { text: "301" });
    await recorder.until(() => recorder.texts("bob").includes("301"));

    const { messages, hasOlder } = chat.conversation("bob");
    expect(messages.map(({ text }) => text)).toEqual(Array.from({ length: 201 }, (_, i) => String(i + 101)));
    expect(hasOlder).toBe(true);
    expect(recorder.texts("bob")).toEqual(["0", "301"]);
    expect(chat.conversations.get("bob")).toMatchObject({ unread: 302, head: 302 });
  });

  test("a server that was restored from a backup makes every conversation begin anew", async () => {
    const server = await openServer();
    const chat = await openChat(server);
    const recorder = new Recorder(chat);
    for (const text of ["1", "2", "3", "4"]) await server.send("bob", "alice", { text });
    await recorder.until(() => recorder.texts("bob").length === 4);

    await server.replaceStore(restoredDisk(server.disk, 0.5));
    server.edge.drop();
    await recorder.until(() => recorder.all("reset").length === 1 && chat.status === "online");
    await server.send("bob", "alice", { text: "3b" });
    await recorder.until(() => recorder.texts("bob").includes("3b"));

    expect(chat.conversation("bob").messages.map(({ text }) => text)).toEqual(["1", "2", "3b"]);
  });
});

describe("a fallback for WebSocket", () => {
  /** Which of five attempts to connect have another socket: the first three find no way, and so does each with `bad`. */
  async function attempts(bad: "fallback" | "WebSocket"): Promise<boolean[]> {
    const server = await openServer();
    const fallen: boolean[] = [];
    const openLink = linksTo(server.edge);
    const chat = await openChat(
      server,
      "alice",
      { fallback: () => Object.assign(new EventTarget(), socket) },
      {
        openLink: async (options) => {
          const falls = options.openSocket !== undefined;
          fallen.push(falls);
          if (fallen.length <= 3 || falls === (bad === "fallback")) throw new ChatError("connection_lost");
          return openLink(options);
        },
      },
    );
    expect(chat.status).toBe("online");
    return fallen;
  }
  const socket = { OPEN: 1, readyState: 0, bufferedAmount: 0, binaryType: "", send() {}, close() {} };

  test("is tried in turns with it until one gets through", async () => {
    vi.stubGlobal("document", new EventTarget());
    onTestFinished(() => void vi.unstubAllGlobals());

    expect(await attempts("WebSocket")).toEqual([false, true, false, true]);
    expect(await attempts("fallback")).toEqual([false, true, false, true, false]);
  });

  test("is not for Node, which has MQTT over TCP", async () => {
    expect(await attempts("fallback")).toEqual([false, false, false, false]);
  });
});

describe("the status", () => {
  test("goes from online over reconnecting to online, with the reason and the delay", async () => {
    const server = await openServer();
    const chat = await openChat(server, "alice", { backoff: (attempt) => attempt });
    const recorder = new Recorder(chat);

    server.edge.drop();
    await recorder.until(() => chat.status === "online" && recorder.all("status").length > 1);

    expect(recorder.all("status")).toMatchObject([
      { status: "reconnecting", reason: { code: "connection_lost" }, retryInMs: 1 },
      { status: "online", reason: null, retryInMs: null },
    ]);
  });

  test("presence is told on every connect", async () => {
    const server = await openServer();
    const chat = await openChat(server, "alice", { deviceId: "d1" });
    const recorder = new Recorder(chat);
    const said = () =>
      server.edge.published.filter(({ topic }) => topic.endsWith("/users/alice/presence/d1"));
    await server.edge.until(() => said().length === 1);

    server.edge.drop();
    await recorder.until(() => chat.status === "online" && recorder.all("status").length > 1);
    await server.edge.until(() => said().length === 2);

    expect(said().map(({ payload }) => payload)).toEqual([{ connected: true }, { connected: true }]);
  });

  test("is closed after close, for good", async () => {
    const server = await openServer();
    const chat = await openChat(server);

    await chat.close();
    await chat.close();

    expect(chat.status).toBe("closed");
    expect(await chat.closed).toBeNull();
    expect(server.edge.clients).toEqual([]);
    await expect(chat.send("bob", { text: "late" })).rejects.toMatchObject({ code: "connection_lost" });
  });
});

describe("connect", () => {
  test("rejects with the last failure when nobody answers in time", async () => {
    const server = await openServer();
    server.isReachable = false;

    await expect(connectTo(server, "alice", { connectTimeoutMs: 500 })).rejects.toMatchObject({
      code: "connection_lost",
    });
  });

  test("rejects with `timeout` when nothing has failed in that time", async () => {
    const server = await openServer();
    const untilAborted = (signal: AbortSignal) =>
      new Promise<never>((_, reject) => {
        signal.addEventListener("abort", () => reject(new ChatError("connection_lost")));
      });
    const silent: Seams = { openLink: ({ signal }) => untilAborted(signal) };

    await expect(connectTo(server, "alice", { connectTimeoutMs: 50 }, silent)).rejects.toMatchObject({
      code: "timeout",
      message: "not online within 50 ms",
    });
  });

  test("resolves without a connection on demand, and gets online later", async () => {
    const server = await openServer();
    server.isReachable = false;
    const chat = await openChat(server, "alice", { offlineStart: true });
    const recorder = new Recorder(chat);
    const sent = chat.send("bob", { text: "hi" });

    server.isReachable = true;

    expect(await sent).toMatchObject({ seq: 1 });
    expect(recorder.all("status").at(-1)).toMatchObject({ status: "online" });
  });

  test("gives up when it is aborted", async () => {
    const server = await openServer();
    server.isReachable = false;
    const abort = new AbortController();
    const connecting = connectTo(server, "alice", { signal: abort.signal });

    abort.abort();

    await expect(connecting).rejects.toMatchObject({ code: "connection_lost" });
  });

  test.each([
    ["url", { url: "chat.example.com" }, "bad_request"],
    ["mqttUrl", { mqttUrl: "http://x" }, "bad_request"],
    ["sendWindow", { sendWindow: 0 }, "bad_request"],
    ["app", { app: "other" }, "bad_request"],
    ["deviceId", { deviceId: "a/b" }, "invalid_id"],
    ["token", { token: "nonsense" }, "unauthorized"],
  ])("refuses a wrong %s and says so", async (_, wrong, code) => {
    const server = await openServer();
    const options = { url: "http://127.0.0.1:1", token: server.token("alice"), ...wrong };

    await expect(connect(options)).rejects.toMatchObject({ code });
  });
});

test("a live message that is only late is waited for, and nobody asks for it", async () => {
  const server = await openServer();
  const chat = await openChat(server, "alice", { backoff: () => 10_000 });
  const recorder = new Recorder(chat);
  await server.send("bob", "alice", { text: "1" });
  await recorder.until(() => recorder.texts("bob").length === 1);
  const asked: string[] = [];
  server.respond = ({ path }) => void asked.push(path);
  server.edge.fateOf = ({ payload }) => (payload.includes('"text":"2"') ? "hold" : "deliver");

  await server.send("bob", "alice", { text: "2" });
  await server.send("bob", "alice", { text: "3" });
  await server.send("carol", "alice", { text: "after it" });
  await recorder.until(() => recorder.texts("carol").length === 1);
  // Whatever was asked before has come to the server with it.
  await chat.conversation("carol").history();
  expect(recorder.texts("bob")).toEqual(["1"]);
  server.edge.release();
  await recorder.until(() => recorder.texts("bob").length === 3);

  expect(recorder.texts("bob")).toEqual(["1", "2", "3"]);
  expect(asked.filter((path) => path.includes("/bob/"))).toEqual([]);
});
