import { ChatError } from "@chat21/protocol";
import { describe, expect, test, vi } from "vitest";
import type { Chat } from "../src/index.ts";
import { linksTo } from "./support/edge-link.ts";
import { ManualClock } from "./support/manual-clock.ts";
import type { TestServer } from "./support/test-server.ts";
import { openChat, openServer, Recorder } from "./support/world.ts";

const idsOf = (server: TestServer) => server.edge.clients.map(({ session }) => session.clientId);

/** Links to a server that says why it closes the older connection. */
function telling(server: TestServer) {
  const open = linksTo(server.edge);
  return {
    openLink: async (options: Parameters<typeof open>[0]) => {
      const link = await open(options);
      return { ...link, ended: link.ended.then(() => new ChatError("taken_over")) };
    },
  };
}

describe("two clients with one device id", () => {
  test("are both online in the end, at a server that closes the older one without a word", async () => {
    const server = await openServer();
    const backoff = vi.fn((_attempt: number) => 1);
    const first = await openChat(server, "alice", { deviceId: "phone", backoff });
    const second = await openChat(server, "alice", { deviceId: "phone", backoff });

    await server.edge.until(() => new Set(idsOf(server)).size === 2);
    const both = [new Recorder(first), new Recorder(second)];
    await server.send("bob", "alice", { text: "for both" });
    for (const recorder of both) await recorder.until(() => recorder.texts("bob").length === 1);

    expect(new Set(idsOf(server)).size).toBe(2);
    // Each pause may be longer than the one before: no connection was a stable one.
    expect(Math.max(...backoff.mock.calls.map(([attempt]) => attempt))).toBeGreaterThan(1);
  });

  test("are both online at once where the server tells the older one", async () => {
    const server = await openServer();
    const first = await openChat(server, "alice", { deviceId: "phone" }, telling(server));
    const recorder = new Recorder(first);
    await openChat(server, "alice", { deviceId: "phone" }, telling(server));

    await recorder.until(() => recorder.all("status").some(({ status }) => status === "online"));

    expect(recorder.all("status")).toMatchObject([
      { status: "reconnecting", reason: { code: "taken_over" } },
      { status: "online" },
    ]);
    expect(idsOf(server)).toEqual(["phone", expect.stringMatching(/^phone~[3-9]$/)]);
  });

  test("do not fight with tokens that are bound to it: the older one waits until somebody comes back to it", async () => {
    const server = await openServer();
    const clock = new ManualClock();
    const token = () => server.token("alice", { profile: "strict", clientId: "phone" });
    const first = await openChat(server, "alice", { clock, token }, telling(server));
    const recorder = new Recorder(first);
    const second = await openChat(server, "alice", { token }, telling(server));
    await recorder.until(() => first.status === "reconnecting");

    await clock.advance(299_000);
    const meanwhile = second.status;
    // The device wakes up: its user is back.
    clock.sleep(60_000);
    await clock.advance(0);
    await recorder.until(() => first.status === "online");

    expect(recorder.all("status")[0]).toMatchObject({
      status: "reconnecting",
      reason: { code: "taken_over" },
      retryInMs: 300_000,
    });
    expect(meanwhile).toBe("online");
  });

  test("are both online at once where the provider gives the older one a token for another client id", async () => {
    const server = await openServer();
    let given = 0;
    const token = () => server.token("alice", { profile: "strict", clientId: `phone-${++given}` });
    const first = await openChat(server, "alice", { token }, telling(server));
    const recorder = new Recorder(first);
    // A window that was copied brings the token of the first one.
    const copied = () => server.token("alice", { profile: "strict", clientId: "phone-1" });
    const second = await openChat(server, "alice", { token: copied }, telling(server));

    await recorder.until(() => recorder.all("status").length > 0 && first.status === "online");

    expect(second.status).toBe("online");
    expect(server.edge.clients.map(({ session }) => session.clientId).toSorted()).toEqual([
      "phone-1",
      "phone-2",
    ]);
  });
});

describe("pauses between connections", () => {
  async function lose(server: TestServer, chat: Chat, clock: ManualClock): Promise<void> {
    const recorder = new Recorder(chat);
    server.edge.drop();
    await recorder.until(() => chat.status === "reconnecting");
    await clock.advance(1);
    await recorder.until(() => chat.status === "online");
  }

  test("grow until a connection was stable for a minute", async () => {
    const server = await openServer();
    const clock = new ManualClock();
    const attempts: number[] = [];
    const backoff = (attempt: number) => {
      attempts.push(attempt);
      return 1;
    };
    const chat = await openChat(server, "alice", { clock, backoff });

    for (let time = 0; time < 3; time++) {
      await lose(server, chat, clock);
      await clock.advance(30_000);
    }
    await clock.advance(30_000);
    await lose(server, chat, clock);

    expect(attempts).toEqual([1, 2, 3, 1]);
  });
});
