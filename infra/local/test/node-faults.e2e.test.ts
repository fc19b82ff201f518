import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { startWebhookReceiver, World } from "@chat21/testkit";
import { requireMongo, requireRabbit } from "@chat21/testkit/services";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { Devices } from "./devices.ts";
import { OwnBroker } from "./own-broker.ts";
import { databaseUri } from "./start-cluster.ts";
import { type StartedNode, startNode, webhooksTo } from "./start-nodes.ts";
import { SteadySender, textsBetween } from "./steady-sender.ts";

/** Longest wait for a network to recover, on a busy machine. */
const patience = { timeout: 60_000, interval: 100 };

let broker: OwnBroker;
let webhooks: Awaited<ReturnType<typeof startWebhookReceiver>>;
let nodes: readonly [StartedNode, StartedNode];
let worlds: readonly [World, World];
const closers: (() => Promise<unknown>)[] = [];
const listeners = new Devices();

beforeAll(async () => {
  const [rabbit, mongo] = await Promise.all([requireRabbit({ isOwn: true }), requireMongo()]);
  broker = new OwnBroker(rabbit);
  closers.push(() => broker.close());
  const folder = await mkdtemp(join(tmpdir(), "chat21-node-faults-"));
  closers.push(() => rm(folder, { recursive: true, force: true }));
  webhooks = await startWebhookReceiver();
  closers.push(() => webhooks.close());
  const mongoUri = databaseUri(mongo.uri, mongo.database);
  const common = { rabbitUri: rabbit.uri, mongoUri, folder, restarts: true, env: webhooksTo(webhooks.url) };
  nodes = [await startNode({ ...common, name: "node-1" }), await startNode({ ...common, name: "node-2" })];
  closers.push(() => Promise.all(nodes.map(({ process }) => process.stop())));
  const worldOn = ({ topology }: StartedNode) => new World({ ...topology, close: async () => {} }, webhooks);
  worlds = [worldOn(nodes[0]), worldOn(nodes[1])];
});
afterEach(async () => {
  await listeners.leave();
  await Promise.all(worlds.map((world) => world.leave()));
});
afterAll(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** Each node has a sender to somebody with a device on each node, while something happens to the network. */
async function expectAllHeard(what: () => Promise<void>): Promise<void> {
  const recipient = `bob-${randomUUID().slice(0, 8)}`;
  const devices = await Promise.all(nodes.map((node) => listeners.listen(node.topology, recipient)));
  const senders = worlds.map((world) => new SteadySender(world, { recipient, hasIds: true }));
  try {
    await expect.poll(() => senders.every(({ acknowledged }) => acknowledged > 40), patience).toBe(true);
    await what();
    const before = senders.map(({ acknowledged }) => acknowledged);
    const goesOn = () => senders.every(({ acknowledged }, at) => acknowledged > (before[at] ?? 0) + 40);
    await expect.poll(goesOn, patience).toBe(true);
    for (const sender of senders) {
      const sent = await sender.stop();
      expect(await textsBetween(worlds[1], sender.user, recipient)).toEqual(sent);
      for (const heardFrom of devices) {
        await expect.poll(() => heardFrom(sender.user), patience).toContain(sent.at(-1));
        expect(heardFrom(sender.user)).toEqual(sent);
      }
    }
  } finally {
    for (const sender of senders) sender.abandon();
  }
}

/** The answer of each node at `/readyz`, and its metric of the broker. */
const becomes = (expected: string) =>
  expect
    .poll(() => Promise.all(nodes.map(({ topology }) => stateOf(topology.metricsUrl))), patience)
    .toEqual(nodes.map(() => expected));

async function stateOf(metricsUrl: string): Promise<string> {
  const [ready, metrics] = await Promise.all([fetch(new URL("/readyz", metricsUrl)), fetch(metricsUrl)]);
  const { reason } = (await ready.json()) as { reason: string };
  const [, up] = /^chat21_broker_up (\d)$/m.exec(await metrics.text()) ?? [];
  return `${ready.status} ${reason}, up ${up}`;
}

describe("a client that moves from node to node", () => {
  it("is taken over at once: the older connection ends, and nobody sees it leave", async () => {
    const [one, two] = worlds;
    const ann = one.newUser("ann");
    const peer = await two.connect(two.newUser("peer"));
    const first = await one.connect(ann, { clientId: "tablet" });
    await peer.send(ann, { text: "hello" }, 1);
    await first.nextMessage(peer.user, "hello");
    await first.send(peer.user, { text: "hi" }, 1);
    await peer.nextMessage(ann, "hi");

    const second = await two.connect(ann, { clientId: "tablet" });
    await first.closed;

    await peer.send(ann, { text: "and now" }, 1);
    await second.nextMessage(peer.user, "and now");
    // Somebody who leaves now is told of after the grace, as ann would be.
    const [fence] = await one.people("fence");
    await webhooks.next(({ body }) => body.user_id === fence.user && body.presence === "online");
    await fence.cut();
    await webhooks.next(({ body }) => body.user_id === fence.user && body.presence === "offline");
    const toldOfAnn = webhooks.received.filter(({ body }) => body.user_id === ann);
    expect(toldOfAnn.map(({ body }) => body.presence)).toEqual(["online"]);
  });
});

describe("nothing acknowledged is lost, doubled or reordered, on any device", () => {
  it("when a node is killed", () =>
    expectAllHeard(async () => {
      process.kill(nodes[0].process.pid ?? 0, "SIGKILL");
    }));

  it("when a node stands still for longer than the broker waits for it", () =>
    expectAllHeard(async () => {
      const pid = nodes[1].process.pid ?? 0;
      process.kill(pid, "SIGSTOP");
      await delay(7_000);
      process.kill(pid, "SIGCONT");
    }));

  it("when the broker stops and starts again, or takes nothing for a while, and each node says so", () =>
    expectAllHeard(async () => {
      await becomes("200 ok, up 1");
      await broker.stop();
      await becomes("503 broker_unavailable, up 0");
      await broker.start();
      await becomes("200 ok, up 1");
      await broker.ctl("set_vm_memory_high_watermark", "0");
      await becomes("503 broker_blocked, up 0");
      await broker.ctl("set_vm_memory_high_watermark", "0.4");
      await becomes("200 ok, up 1");
    }));
});
