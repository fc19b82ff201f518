import { createDeliveryLog } from "@chat21/events";
import { createManualClock } from "@chat21/testkit";
import { Webhook } from "standardwebhooks";
import { expect, test } from "vitest";
import { sendTestEvent } from "../src/index.ts";
import { answer } from "./receiver.ts";
import { receiver, secret, startWorld } from "./world.ts";

test("The list shows the newest first, without bodies, and one delivery shows everything", async () => {
  const backend = await receiver(
    ({ text }, response) => void response.writeHead(text === '{"n":1}' ? 404 : 200).end(),
  );
  const url = `${backend.url}?x=1`;
  const world = startWorld({ urls: [url] });
  const log = createDeliveryLog({ store: world.store, clock: world.clock });
  await world.enqueue([
    { endpoint: url, body: '{"n":1}' },
    { endpoint: url, event: "presence-change" },
  ]);
  await world.untilState("event-2", "delivered");

  const all = await log.list({ limit: 10 });
  expect(all.map(({ id, state }) => [id, state])).toEqual([
    ["event-2", "delivered"],
    ["event-1", "dead"],
  ]);
  expect(all.every((summary) => !("body" in summary))).toBe(true);
  expect((await log.list({ limit: 10, state: "dead" })).map(({ id }) => id)).toEqual(["event-1"]);
  expect((await log.list({ limit: 10, event: "presence-change" })).map(({ id }) => id)).toEqual(["event-2"]);
  expect((await log.list({ limit: 10, endpoint: ` ${url}#here ` })).length).toBe(2);
  expect((await log.list({ limit: 10, endpoint: backend.url })).length).toBe(0);

  expect(await log.show("event-1")).toMatchObject({
    body: '{"n":1}',
    lastStatus: 404,
    lastError: "HTTP 404",
  });
  expect(await log.show("event-9")).toBeNull();
});

test("Dead letters of an endpoint are made again in their old order, with the same ids, bodies and a fresh 72 h", async () => {
  let status = 400;
  const backend = await receiver((_request, response) => void response.writeHead(status).end());
  const world = startWorld({ urls: [backend.url] });
  const log = createDeliveryLog({ store: world.store, clock: world.clock, worker: world.worker });
  await world.enqueue(Array.from({ length: 3 }, () => ({ endpoint: backend.url })));
  await world.untilState("event-3", "dead");
  const asked = backend.received.length;
  const texts = new Map(backend.received.map(({ text, headers }) => [headers["webhook-id"], text]));
  const before = [...texts];
  await world.clock.advance(100 * 3_600_000);

  status = 503;
  expect(await log.replay({ deadOf: `${backend.url}#x` })).toBe(3);
  await world.until(async () => (await world.row("event-1")).attempts === 2);
  status = 200;
  await world.untilState("event-3", "delivered");

  const after = backend.received.slice(asked).map(({ text, headers }) => [headers["webhook-id"], text]);
  expect(after).toEqual([before[0], before[0], ...before]);
});

test("A delivered one is made again by its id", async () => {
  const backend = await receiver();
  const world = startWorld({ urls: [backend.url] });
  const log = createDeliveryLog({ store: world.store, clock: world.clock, worker: world.worker });
  await world.enqueue([{ endpoint: backend.url }]);
  await world.untilState("event-1", "delivered");

  expect(await log.replay({ ids: ["event-1", "unknown"] })).toBe(1);
  await world.until(() => backend.received.length === 2);
  await world.untilState("event-1", "delivered");

  expect(new Set(backend.received.map(({ headers }) => headers["webhook-id"]))).toEqual(new Set(["event-1"]));
});

test("A replay of anything uses an endpoint again that answered 410", async () => {
  let status = 200;
  const backend = await receiver((_request, response) => void response.writeHead(status).end());
  const world = startWorld({ urls: [backend.url] });
  const log = createDeliveryLog({ store: world.store, clock: world.clock, worker: world.worker });
  await world.enqueue([{ endpoint: backend.url }]);
  await world.untilState("event-1", "delivered");
  status = 410;
  await world.enqueue([{ endpoint: backend.url }, { endpoint: backend.url }]);
  await world.untilState("event-2", "dead");

  status = 200;
  await log.replay({ ids: ["event-1"] });
  await world.untilState("event-3", "delivered");

  expect((await world.row("event-2")).state).toBe("dead");
});

test("A test event is signed like any other and tells what came of it", async () => {
  const backend = await receiver();
  const clock = createManualClock(Date.now());
  const endpoint = { url: `${backend.url}?x=1`, secrets: [secret] };

  const result = await sendTestEvent({ endpoint, clock, app: "tilechat", allowLoopback: true });

  expect(result).toMatchObject({ delivered: true, status: 200, error: null });
  const [request] = backend.received;
  expect(request?.path).toBe("/hook?x=1");
  expect(request?.headers["webhook-id"]).toBe(result.id);
  const verified = new Webhook(secret).verify(
    request?.text ?? "",
    request?.headers as Record<string, string>,
  );
  expect(verified).toMatchObject({ event_type: "webhook-test", app_id: "tilechat", createdAt: clock.now() });
});

test("A test event that is refused says why", async () => {
  const backend = await receiver(answer(401, {}, "who are you?"));
  const clock = createManualClock(Date.now());
  const endpoint = { url: backend.url, secrets: [secret] };

  expect(await sendTestEvent({ endpoint, clock, app: "tilechat", allowLoopback: true })).toMatchObject({
    delivered: false,
    status: 401,
    error: "HTTP 401 who are you?",
  });
  await expect(sendTestEvent({ endpoint, clock, app: "tilechat" })).rejects.toThrow(
    "is not a public address",
  );
});

test("A poisoned event is skipped, and its conversation goes on at once", async () => {
  const backend = await receiver(
    ({ text }, response) => void response.writeHead(text === '"poison"' ? 400 : 200).end(),
  );
  const world = startWorld({ urls: [backend.url] });
  const log = createDeliveryLog({ store: world.store, clock: world.clock, worker: world.worker });
  await world.enqueue([{ endpoint: backend.url, body: '"poison"' }, { endpoint: backend.url }]);
  await world.until(async () => (await world.row("event-1")).attempts === 3);
  const from = world.clock.now();

  expect(await log.skip(["event-1"])).toBe(1);
  await world.untilState("event-2", "delivered");

  expect(world.clock.now() - from).toBeLessThanOrEqual(5_000);
  expect(await world.row("event-1")).toMatchObject({ state: "dead", lastError: "skipped by an operator" });
});

test("What waits for an endpoint is tried at once when an operator says so", async () => {
  let status = 500;
  const backend = await receiver((_request, response) => void response.writeHead(status).end());
  const world = startWorld({ urls: [backend.url], random: () => 0.999 });
  const log = createDeliveryLog({ store: world.store, clock: world.clock, worker: world.worker });
  await world.enqueue([{ endpoint: backend.url }]);
  await world.until(async () => (await world.row("event-1")).attempts === 4);
  const from = world.clock.now();

  status = 200;
  expect(await log.retry(backend.url)).toBe(1);
  await world.untilState("event-1", "delivered");

  expect(world.clock.now() - from).toBeLessThanOrEqual(250);
});
