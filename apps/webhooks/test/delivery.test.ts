import { generateWebhookSecret } from "@chat21/events";
import { createMemoryStore } from "@chat21/testkit";
import { Webhook } from "standardwebhooks";
import { describe, expect, test } from "vitest";
import { answer } from "./receiver.ts";
import { receiver, secret, startWorld } from "./world.ts";

describe("A request", () => {
  test("Carries exactly the row's body, the endpoint's query string and headers that verify", async () => {
    const backend = await receiver();
    const url = `${backend.url}?token=a%2Cb&x=1`;
    const world = startWorld({ urls: [url] });
    const body = '{"event_type" : "message-sent","n":1.0,"text":"é😀"}';

    await world.enqueue([{ endpoint: url, body }]);
    await world.untilState("event-1", "delivered");

    const [request] = backend.received;
    expect(request?.path).toBe("/hook?token=a%2Cb&x=1");
    expect(request?.text).toBe(body);
    expect(request?.headers).toMatchObject({
      "content-type": "application/json",
      "user-agent": "Chat21-Webhooks/1",
      "webhook-id": "event-1",
    });
    const verified = new Webhook(secret).verify(
      request?.text ?? "",
      request?.headers as Record<string, string>,
    );
    expect(verified).toEqual({ event_type: "message-sent", n: 1, text: "é😀" });
  });

  test("Does not verify when its body, id or secret is another", async () => {
    const backend = await receiver();
    const world = startWorld({ urls: [backend.url] });

    await world.enqueue([{ endpoint: backend.url }]);
    await world.untilState("event-1", "delivered");

    const [request] = backend.received;
    const text = request?.text ?? "";
    const headers = request?.headers as Record<string, string>;
    expect(() => new Webhook(secret).verify(`${text} `, headers)).toThrow("No matching signature");
    expect(() => new Webhook(secret).verify(text, { ...headers, "webhook-id": "x" })).toThrow(
      "No matching signature",
    );
    expect(() => new Webhook(generateWebhookSecret()).verify(text, headers)).toThrow("No matching signature");
  });

  test("Verifies with the new and with the old secret during a rotation", async () => {
    const backend = await receiver();
    const [newer, older] = [generateWebhookSecret(), generateWebhookSecret()];
    const world = startWorld({ endpoints: [{ url: backend.url, secrets: [newer, older] }] });

    await world.enqueue([{ endpoint: backend.url }]);
    await world.untilState("event-1", "delivered");

    const [request] = backend.received;
    for (const active of [newer, older]) {
      const headers = request?.headers as Record<string, string>;
      expect(new Webhook(active).verify(request?.text ?? "", headers)).toEqual({ number: 1 });
    }
  });

  test("Has a new timestamp and the same id at every attempt", async () => {
    const backend = await receiver(
      (_request, response, number) => void response.writeHead(number < 3 ? 500 : 200).end(),
    );
    const world = startWorld({ urls: [backend.url] });

    await world.enqueue([{ endpoint: backend.url }]);
    await world.untilState("event-1", "delivered");

    const stamps = backend.received.map(({ headers }) => Number(headers["webhook-timestamp"]));
    expect(new Set(backend.received.map(({ headers }) => headers["webhook-id"]))).toEqual(
      new Set(["event-1"]),
    );
    expect(stamps).toHaveLength(3);
    expect(new Set(stamps).size).toBe(3);
  });

  test("Uses one connection again and again", async () => {
    const backend = await receiver(answer(200, {}, "thank you"));
    const world = startWorld({ urls: [backend.url] });

    await world.enqueue(Array.from({ length: 20 }, () => ({ endpoint: backend.url })));
    await world.untilState("event-20", "delivered");

    expect(backend.received).toHaveLength(20);
    expect(backend.connections()).toBe(1);
  });

  test("Does not read an endless answer", async () => {
    let sent = 0;
    const backend = await receiver((_request, response) => {
      response.writeHead(200);
      const chunk = "x".repeat(16_384);
      const write = () => {
        if (response.destroyed) return;
        sent += chunk.length;
        if (response.write(chunk)) setImmediate(write);
        else response.once("drain", write);
      };
      write();
    });
    const world = startWorld({ urls: [backend.url] });

    await world.enqueue([{ endpoint: backend.url }]);
    await world.untilState("event-1", "delivered");

    // What the socket's own buffers took comes on top of what was read.
    expect(sent).toBeLessThan(32 * 1_024 * 1_024);
  });
});

describe("An answer", () => {
  test.each([400, 401, 403, 404, 408, 409, 413, 421, 422, 425, 429, 500, 502])(
    "%i is tried again",
    async (status) => {
      const backend = await receiver(
        (_request, response, number) => void response.writeHead(number === 1 ? status : 200).end("why"),
      );
      const world = startWorld({ urls: [backend.url] });

      await world.enqueue([{ endpoint: backend.url }]);
      await world.until(async () => (await world.row("event-1")).attempts === 1);
      expect(await world.row("event-1")).toMatchObject({
        state: "pending",
        lastStatus: status,
        lastError: `HTTP ${status} why`,
      });

      await world.untilState("event-1", "delivered");
      expect(await world.row("event-1")).toMatchObject({ attempts: 2, lastStatus: 200, lastError: null });
      expect(world.telemetry.counts.get("webhook_attempts retry")).toBe(1);
      expect(world.telemetry.counts.get("webhook_attempts delivered")).toBe(1);
    },
  );

  test("That refuses one event holds back its conversation for 6 h and no other, then makes a dead letter", async () => {
    const backend = await receiver(
      ({ text }, response) =>
        void response.writeHead(text.includes("poison") ? 400 : 200).end("no\r\n\u0007 such\tthing"),
    );
    const world = startWorld({ urls: [backend.url] });
    const startedAt = world.clock.now();

    await world.enqueue([
      { endpoint: backend.url, body: '"poison"' },
      { endpoint: backend.url },
      { endpoint: backend.url, orderKey: "tilechat/other" },
    ]);
    await world.untilState("event-3", "delivered");
    expect(world.clock.now()).toBe(startedAt);
    await world.untilState("event-2", "delivered");

    const poison = await world.row("event-1");
    expect(poison).toMatchObject({ state: "dead", lastStatus: 400, lastError: "HTTP 400 no such thing" });
    expect((poison.settledAt ?? 0) - startedAt).toBeGreaterThanOrEqual(6 * 3_600_000);
    expect((poison.settledAt ?? 0) - startedAt).toBeLessThan(6 * 3_600_000 + 60_000);
    expect(world.telemetry.lines).toContainEqual(
      expect.objectContaining({ level: "warn", message: "webhook is a dead letter" }),
    );
  });

  test("A redirect is not followed, and tried again", async () => {
    const target = await receiver();
    const backend = await receiver(answer(302, { location: target.url }));
    const world = startWorld({ urls: [backend.url] });

    await world.enqueue([{ endpoint: backend.url }]);
    await world.until(async () => (await world.row("event-1")).attempts === 2);

    expect((await world.row("event-1")).lastError).toBe("HTTP 302: redirects are not followed");
    expect(target.received).toHaveLength(0);
  });

  test("Retry-After holds back the whole endpoint", async () => {
    const backend = await receiver(
      (_request, response, number) =>
        void response.writeHead(number === 1 ? 429 : 200, { "retry-after": "45" }).end(),
    );
    const world = startWorld({ urls: [backend.url] });
    const startedAt = world.clock.now();

    await world.enqueue([{ endpoint: backend.url }]);
    await world.until(async () => (await world.row("event-1")).attempts === 1);
    await world.enqueue([{ endpoint: backend.url, orderKey: "tilechat/C.D" }]);
    await world.untilState("event-1", "delivered");
    await world.untilState("event-2", "delivered");

    expect((await world.row("event-1")).settledAt).toBeGreaterThanOrEqual(startedAt + 45_000);
    expect((await world.row("event-2")).settledAt).toBeGreaterThanOrEqual(startedAt + 45_000);
  });

  test("That does not come within 30 s is tried again", async () => {
    let hanging = 0;
    const backend = await receiver((_request, response, number) => {
      if (number === 1) hanging += 1;
      else response.end();
    });
    const world = startWorld({ urls: [backend.url] });
    await world.enqueue([{ endpoint: backend.url }]);
    while (hanging === 0) await new Promise((resolve) => setImmediate(resolve));

    await world.clock.advance(29_000);
    expect(world.store.leased()).toBe(1);
    await world.clock.advance(1_000);
    await world.untilState("event-1", "delivered");

    expect(backend.received).toHaveLength(2);
    expect(world.telemetry.counts.get("webhook_attempts retry")).toBe(1);
  });

  test("Whose body never ends counts by its status", async () => {
    const backend = await receiver((_request, response) => void response.writeHead(200).write("…"));
    const world = startWorld({ urls: [backend.url] });
    await world.enqueue([{ endpoint: backend.url }]);
    while (backend.received.length === 0) await new Promise((resolve) => setImmediate(resolve));

    await world.clock.advance(30_000);
    await world.untilState("event-1", "delivered");

    expect(backend.received).toHaveLength(1);
  });

  test("That does not come because nobody listens is tried again, with the reason kept", async () => {
    const gone = await receiver();
    await gone.close().catch(() => {});
    const world = startWorld({ urls: [gone.url] });

    await world.enqueue([{ endpoint: gone.url }]);
    await world.until(async () => (await world.row("event-1")).attempts === 3);

    expect(await world.row("event-1")).toMatchObject({ state: "pending", lastStatus: null });
    expect((await world.row("event-1")).lastError).toContain("ECONNREFUSED");
  });
});

test("A failure to connect names every address that was tried", async () => {
  const gone = await receiver();
  await gone.close();
  const url = gone.url.replace("127.0.0.1", "backend.example");
  const addresses = [
    { address: "127.0.0.2", family: 4 },
    { address: "127.0.0.3", family: 4 },
  ];
  const world = startWorld({ urls: [url], resolve: (_hostname, callback) => callback(null, addresses) });

  await world.enqueue([{ endpoint: url }]);
  await world.until(async () => (await world.row("event-1")).attempts === 1);

  const { lastError } = await world.row("event-1");
  for (const { address } of addresses) expect(lastError).toContain(address);
});

describe("410", () => {
  test("Makes a dead letter and ends the use of the endpoint; new rows wait", async () => {
    const backend = await receiver(answer(410));
    const other = await receiver();
    const world = startWorld({ urls: [backend.url, other.url] });

    await world.enqueue([{ endpoint: backend.url }, { endpoint: backend.url }, { endpoint: other.url }]);
    await world.untilState("event-3", "delivered");
    await world.clock.advance(3_600_000);

    expect(backend.received).toHaveLength(1);
    expect(await world.row("event-1")).toMatchObject({ state: "dead", lastStatus: 410 });
    expect(await world.row("event-2")).toMatchObject({ state: "pending", attempts: 0 });
  });

  test("Is forgotten after a restart", async () => {
    let status = 410;
    const backend = await receiver((_request, response) => void response.writeHead(status).end());
    const first = startWorld({ urls: [backend.url] });
    await first.enqueue([{ endpoint: backend.url }, { endpoint: backend.url }]);
    await first.untilState("event-1", "dead");
    await first.worker.stop(0);

    status = 200;
    const second = startWorld({ urls: [backend.url], store: first.store, clock: first.clock });
    await second.untilState("event-2", "delivered");

    expect((await second.row("event-1")).state).toBe("dead");
  });

  test("Ends when another process replays that dead letter", async () => {
    let status = 410;
    const memory = createMemoryStore().webhooks;
    const backend = await receiver((_request, response) => void response.writeHead(status).end());
    const world = startWorld({ urls: [backend.url], store: memory });
    await world.enqueue([{ endpoint: backend.url }, { endpoint: backend.url }]);
    await world.untilState("event-1", "dead");

    status = 200;
    await memory.replay({ deadOf: backend.url }, world.clock.now());
    const before = world.clock.now();
    await world.untilState("event-2", "delivered");

    expect((await world.row("event-1")).state).toBe("delivered");
    expect(world.clock.now() - before).toBeLessThanOrEqual(5_000);
  });
});
