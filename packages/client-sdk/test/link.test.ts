import { fakeToken } from "@chat21/testkit/fake-server";
import { expect, test, vi } from "vitest";
import { openLink } from "../src/connection/link.ts";
import { ManualClock } from "./support/manual-clock.ts";
import { openServer } from "./support/world.ts";

test("a server that takes the connection and never answers the subscription is given up after 20 s", async () => {
  const server = await openServer();
  server.answersSubscriptions = false;
  const clock = new ManualClock();
  const token = {
    ...{ text: fakeToken({ user: "alice" }), app: server.log.app, user: "alice" },
    ...{ boundClientId: null, expiresAt: null },
  };
  const link = openLink({
    ...{ url: `${server.url.replace(/^http/, "ws")}/ws`, token, clientId: "device", clock },
    handlePublish: () => {},
    signal: new AbortController().signal,
  });
  const outcome = vi.fn();
  link.catch(outcome);
  await vi.waitUntil(() => server.connections.length === 1, { timeout: 20_000 });

  await clock.advance(19_999);
  expect(outcome).not.toHaveBeenCalled();
  await clock.advance(1);

  await expect(link).rejects.toMatchObject({ code: "connection_lost", retryable: true });
  await vi.waitUntil(() => server.connections.length === 0, { timeout: 20_000 });
});
