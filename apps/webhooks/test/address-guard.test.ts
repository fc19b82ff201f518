import type { LookupAddress } from "node:dns";
import { generateWebhookSecret } from "@chat21/events";
import { createManualClock, createMemoryStore } from "@chat21/testkit";
import { describe, expect, test } from "vitest";
import { createWebhookWorker, type WebhookWorkerOptions } from "../src/index.ts";
import { receiver, recordTelemetry, startWorld } from "./world.ts";

type Resolve = NonNullable<WebhookWorkerOptions["resolve"]>;

/** A resolver that gives one answer after the other, the last one again and again. */
function resolver(...answers: readonly (readonly string[])[]): Resolve & { asked: string[] } {
  const asked: string[] = [];
  const resolve: Resolve = (hostname, callback) => {
    const addresses = answers[Math.min(asked.length, answers.length - 1)] ?? [];
    asked.push(hostname);
    const found: LookupAddress[] = addresses.map((address) => ({
      address,
      family: address.includes(":") ? 6 : 4,
    }));
    setImmediate(() => callback(null, found));
  };
  return Object.assign(resolve, { asked });
}

describe("A name", () => {
  test.each(["10.0.0.1", "169.254.169.254", "127.0.0.1", "::1", "::ffff:127.0.0.1", "fd00::1", "0.0.0.0"])(
    "That resolves to %s is not connected to",
    async (address) => {
      const backend = await receiver();
      const url = `http://backend.example:${backend.port}/hook`;
      const world = startWorld({ urls: [url], allowLoopback: false, resolve: resolver([address]) });

      await world.enqueue([{ endpoint: url }]);
      await world.until(async () => (await world.row("event-1")).attempts > 0);

      expect(await world.row("event-1")).toMatchObject({ state: "pending", lastStatus: null });
      expect((await world.row("event-1")).lastError).toBe(
        `${address} is not a public address; WEBHOOK_ALLOW_PRIVATE can allow it`,
      );
      expect(backend.connections()).toBe(0);
    },
  );

  test("That resolves to an allowed address is connected to at that address", async () => {
    const backend = await receiver();
    const url = `http://backend.example:${backend.port}/hook`;
    const resolve = resolver(["127.0.0.1"]);
    const world = startWorld({ urls: [url], allowLoopback: false, allowPrivate: ["127.0.0.1/32"], resolve });

    await world.enqueue([{ endpoint: url }]);
    await world.untilState("event-1", "delivered");

    expect(backend.received[0]?.headers.host).toBe(`backend.example:${backend.port}`);
    expect(resolve.asked).toEqual(["backend.example"]);
  });

  test("With allowed and refused addresses is reached by the allowed ones only", async () => {
    const refused = await receiver(undefined, "127.0.0.2");
    const backend = await receiver(undefined, "127.0.0.1");
    const url = `http://backend.example:${backend.port}/hook`;
    const world = startWorld({
      urls: [url],
      allowLoopback: false,
      allowPrivate: ["127.0.0.1"],
      resolve: resolver(["127.0.0.2", "10.0.0.1", "127.0.0.1"]),
    });

    await world.enqueue([{ endpoint: url }]);
    await world.untilState("event-1", "delivered");

    expect(backend.received).toHaveLength(1);
    expect(refused.connections()).toBe(0);
  });

  test("That changes its answer after the check gains nothing: it is asked once for a connection", async () => {
    const victim = await receiver(undefined, "127.0.0.2");
    const url = `http://rebind.example:${victim.port}/hook`;
    const resolve = resolver(["127.0.0.1"], ["127.0.0.2"]);
    const world = startWorld({ urls: [url], allowLoopback: false, allowPrivate: ["127.0.0.1"], resolve });

    await world.enqueue([{ endpoint: url }]);
    await world.until(async () => (await world.row("event-1")).attempts === 3);

    // First the allowed address (where nobody listens), then the refused one: never a connection to the victim.
    expect(resolve.asked.length).toBe(3);
    expect(victim.connections()).toBe(0);
    expect((await world.row("event-1")).lastError).toContain("127.0.0.2 is not a public address");
  });

  test("Without an address is tried again", async () => {
    const url = "http://nowhere.example/hook";
    const world = startWorld({ urls: [url], resolve: resolver([]) });

    await world.enqueue([{ endpoint: url }]);
    await world.until(async () => (await world.row("event-1")).attempts === 2);

    expect((await world.row("event-1")).lastError).toBe("nowhere.example has no address");
  });
});

describe("A literal address", () => {
  const { log, metrics } = recordTelemetry();
  const clock = createManualClock();
  const store = createMemoryStore().webhooks;

  test.each([
    "http://127.0.0.1/",
    "http://0x7f000001/",
    "http://[::1]/",
    "http://[::ffff:a9fe:a9fe]/",
    "http://10.1.1.1/",
  ])("%s is refused before anything is sent", (url) => {
    const endpoints = [{ url: new URL(url).href, secrets: [generateWebhookSecret()] }];

    expect(() => createWebhookWorker({ store, clock, log, metrics, endpoints })).toThrow(
      "is not a public address",
    );
  });

  test("Of IPv6 loopback works in development", async () => {
    const backend = await receiver(undefined, "::1");
    const world = startWorld({ urls: [backend.url] });

    await world.enqueue([{ endpoint: backend.url }]);
    await world.untilState("event-1", "delivered");

    expect(backend.received).toHaveLength(1);
  });
});
