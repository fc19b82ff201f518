import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startWebhookReceiver, World } from "@chat21/testkit";
import { requireMongo, requireRabbit } from "@chat21/testkit/services";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { ClusterProcess } from "../cluster-process.ts";
import { Devices } from "./devices.ts";
import { databaseUri } from "./start-cluster.ts";
import { type StartedNode, startNode, startObserver, webhooksTo } from "./start-nodes.ts";
import { SteadySender, textsBetween } from "./steady-sender.ts";

/** Longest wait for processes to recover, on a busy machine. */
const patience = { timeout: 60_000, interval: 100 };

let node: StartedNode;
let observer: ClusterProcess;
let webhooks: Awaited<ReturnType<typeof startWebhookReceiver>>;
/** The same app, with clients on the node and on RabbitMQ's plugin. */
let onNode: World;
let onPlugin: World;
const closers: (() => Promise<unknown>)[] = [];
const listeners = new Devices();

beforeAll(async () => {
  const [rabbit, mongo] = await Promise.all([requireRabbit(), requireMongo()]);
  const { webMqttUri, jwtSecret: secret } = rabbit;
  if (webMqttUri === null || secret === null) throw new Error("set RABBITMQ_WEB_MQTT_URI and JWT_KEY");
  const folder = await mkdtemp(join(tmpdir(), "chat21-mixed-"));
  closers.push(() => rm(folder, { recursive: true, force: true }));
  webhooks = await startWebhookReceiver();
  closers.push(() => webhooks.close());
  const common = {
    ...{ rabbitUri: rabbit.uri, mongoUri: databaseUri(mongo.uri, mongo.database), folder, secret },
    ...{ restarts: true, env: webhooksTo(webhooks.url) },
  };
  node = await startNode({ ...common, name: "node-1" });
  closers.push(() => node.process.stop());
  // The node runs already, and has to notice.
  observer = (await startObserver({ ...common, name: "observer-1" })).process;
  closers.push(() => observer.stop());
  const topology = { ...node.topology, close: async () => {} };
  onNode = new World(topology, webhooks);
  onPlugin = new World({ ...topology, mqttWsUrl: webMqttUri }, webhooks);
});
afterEach(async () => {
  await listeners.leave();
  await Promise.all([onNode.leave(), onPlugin.leave()]);
});
afterAll(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

describe("clients on a node and on RabbitMQ's plugin", () => {
  it("get each message once, whichever way its sender and they are connected", async () => {
    const user = onNode.newUser("ann");
    const devices = [await onNode.connect(user), await onPlugin.connect(user)] as const;
    const senders = [
      await onNode.connect(onNode.newUser("bob")),
      await onPlugin.connect(onNode.newUser("cat")),
    ];
    for (const sender of senders) {
      await sender.send(user, { text: "one", type: "text" }, 1);
      await sender.send(user, { text: "two", type: "text" }, 1);
    }
    const group = await onNode.createGroup(
      user,
      senders.map((sender) => sender.user),
    );
    await devices[1].send(group, { text: "to all", type: "text", channel_type: "group" }, 1);

    for (const device of devices) {
      for (const { user: from } of senders) {
        const [one, two] = [await device.nextMessage(from), await device.nextMessage(from)];
        expect([one.payload.text, two.payload.text]).toEqual(["one", "two"]);
      }
    }
    const clients = [...devices, ...senders];
    for (const client of clients) await client.nextMessage(group, "to all");
    const texts = new Set(["one", "two", "to all"]);
    // What goes out to a sender's own devices.
    for (const sender of senders) for (const text of ["one", "two"]) await sender.nextMessage(user, text);
    expect(clients.flatMap((client) => client.untaken(({ payload }) => texts.has(payload.text)))).toEqual([]);
  });

  it("see each other come and go", async () => {
    const [ann, bob] = [
      await onNode.connect(onNode.newUser("ann")),
      await onPlugin.connect(onNode.newUser("bob")),
    ];
    await ann.send(bob.user, { text: "hello", type: "text" }, 1);
    await bob.nextMessage(ann.user, "hello");
    const isPresenceOf =
      (user: string, presence: string) => (frame: { readonly payload: Record<string, unknown> }) =>
        frame.payload["type"] === "presence" &&
        frame.payload["user"] === user &&
        frame.payload["presence"] === presence;

    const again = await onPlugin.connect(onNode.newUser("cat"));
    await again.send(ann.user, { text: "hi", type: "text" }, 1);
    await ann.nextMessage(again.user, "hi");
    await again.cut();
    await ann.next(isPresenceOf(again.user, "offline"), "word of a client that left the plugin");
    await ann.cut();
    await bob.next(isPresenceOf(ann.user, "offline"), "word of a client that left the node");

    expect(
      webhooks.received.some(({ body }) => body.user_id === bob.user && body.presence === "offline"),
    ).toBe(false);
  });

  it("with one client id: the connection to the node ends when the client comes to the plugin, and nobody sees it leave", async () => {
    const user = onNode.newUser("ann");
    const peer = await onNode.connect(onNode.newUser("peer"));
    const first = await onNode.connect(user, { clientId: `tablet-${user}` });
    await webhooks.next(({ body }) => body.user_id === user && body.presence === "online");

    const second = await onPlugin.connect(user, { clientId: `tablet-${user}` });
    await first.closed;

    await peer.send(user, { text: "and now", type: "text" }, 1);
    await second.nextMessage(peer.user, "and now");
    const fence = await onNode.connect(onNode.newUser("fence"));
    await webhooks.next(({ body }) => body.user_id === fence.user && body.presence === "online");
    await fence.cut();
    await webhooks.next(({ body }) => body.user_id === fence.user && body.presence === "offline");
    const told = webhooks.received.filter(({ body }) => body.user_id === user && body.presence !== undefined);
    expect(told.map(({ body }) => body.presence)).not.toContain("offline");
  });
});

describe("when the observer is killed", () => {
  it("clients on the plugin get what clients on the node send, before it is back", async () => {
    const bob = await onPlugin.connect(onNode.newUser("bob"));
    const ann = await onNode.connect(onNode.newUser("ann"));
    const { pid } = observer;

    process.kill(pid ?? 0, "SIGSTOP");
    await ann.send(bob.user, { text: "without it", type: "text" }, 1);
    await bob.nextMessage(ann.user, "without it");
    process.kill(pid ?? 0, "SIGKILL");
    await ann.send(bob.user, { text: "still without it", type: "text" }, 1);

    expect((await bob.nextMessage(ann.user)).payload.text).toBe("still without it");
  });

  it("nothing acknowledged is lost, doubled or reordered on either side", async () => {
    await expect.poll(() => observer.pid, patience).toBeDefined();
    const recipient = `bob-${randomUUID().slice(0, 8)}`;
    const worlds = [onNode, onPlugin];
    const devices = await Promise.all(worlds.map((world) => listeners.listen(world.topology, recipient)));
    const senders = worlds.map((world) => new SteadySender(world, { recipient, hasIds: true }));
    try {
      await expect.poll(() => senders.every(({ acknowledged }) => acknowledged > 40), patience).toBe(true);

      process.kill(observer.pid ?? 0, "SIGKILL");

      const before = senders.map(({ acknowledged }) => acknowledged);
      const goesOn = () => senders.every(({ acknowledged }, at) => acknowledged > (before[at] ?? 0) + 40);
      await expect.poll(goesOn, patience).toBe(true);
      for (const sender of senders) {
        const sent = await sender.stop();
        for (const heardFrom of devices) {
          await expect.poll(() => heardFrom(sender.user), patience).toContain(sent.at(-1));
          expect(heardFrom(sender.user)).toEqual(sent);
        }
        expect(await textsBetween(onNode, sender.user, recipient)).toEqual(sent);
      }
    } finally {
      for (const sender of senders) sender.abandon();
    }
  });
});
