import { randomUUID } from "node:crypto";
import { type RequiredRabbit, requireRabbit } from "@chat21/testkit/services";
import { type ChannelModel, connect as connectAmqp } from "amqplib";
import type { MqttClient } from "mqtt";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createTokens, type Tokens } from "../src/index.ts";
import {
  amqpOutcome,
  connectMqtt,
  connectOutcome,
  forgeByDeadLetter,
  nextMessage,
  openAmqp,
  openMqtt,
  publishAmqp,
  publishOutcome,
  subscribeOutcome,
} from "./broker-client.ts";

// Ids of this run only: other tests may use the same broker.
const run = randomUUID().slice(0, 8);
const [alice, bob] = [`alice-${run}`, `bob-${run}`];
const [aliceClient, bobClient] = [`c-${run}-a`, `c-${run}-b`];
const foreignQueue = `chat21.partition.test-${run}`;

let rabbit: RequiredRabbit;
let tokens: Tokens;
let owner: ChannelModel;
const clients: MqttClient[] = [];

beforeAll(async () => {
  rabbit = await requireRabbit();
  tokens = createTokens({ secret: rabbit.jwtSecret ?? "", clock: { now: Date.now }, newId: randomUUID });
  owner = await connectAmqp(rabbit.uri);
  const channel = await owner.createChannel();
  for (const queue of [foreignQueue, `chat21.dead.test-${run}`]) {
    await channel.assertQueue(queue, { durable: true, expires: 600_000 });
  }
  await channel.close();
});

afterAll(async () => {
  await owner?.close();
  await rabbit?.stop();
});

afterEach(() => {
  for (const client of clients.splice(0)) client.end(true);
});

const strictToken = (user: string, clientId: string) =>
  tokens.issue({ app: "tilechat", user, clientId }).token;

async function connected(
  user: string,
  clientId: string,
  options = {},
  uri = rabbit.mqttUri,
): Promise<MqttClient> {
  const client = await connectMqtt(uri ?? "", strictToken(user, clientId), clientId, options);
  clients.push(client);
  return client;
}

describe("a strict token over MQTT", () => {
  test.each(["mqttUri", "webMqttUri"] as const)("reads and writes its own topics (%s)", async (uri) => {
    const client = await connected(alice, aliceClient, {}, rabbit[uri]);

    expect(await subscribeOutcome(client, `apps/tilechat/users/${alice}/#`)).toBe("granted");
    expect(
      await publishOutcome(client, `apps/tilechat/outgoing/users/${alice}/messages/${bob}/outgoing`),
    ).toBe("taken");
    const received = nextMessage(client);
    expect(await publishOutcome(client, `apps/tilechat/users/${alice}/presence/${aliceClient}`, "on")).toBe(
      "taken",
    );

    expect(await received).toBe(`apps/tilechat/users/${alice}/presence/${aliceClient} on`);
  });

  test("keeps a session at QoS 1 and gets what came while it was away", async () => {
    const kept = { clean: false };
    const filter = `apps/tilechat/users/${alice}/messages/#`;
    const first = await connected(alice, `${aliceClient}-kept`, kept);
    expect(await subscribeOutcome(first, filter, 1)).toBe("granted");
    await first.endAsync();
    const sender = await connected(alice, aliceClient);
    const topic = `apps/tilechat/users/${alice}/messages/${bob}/clientadded`;
    await sender.publishAsync(topic, "missed", { qos: 1 });

    const second = openMqtt(
      rabbit.mqttUri ?? "",
      strictToken(alice, `${aliceClient}-kept`),
      `${aliceClient}-kept`,
      kept,
    );
    clients.push(second);

    // The listener is set before the connection is up: the waiting message comes right after it.
    expect(await nextMessage(second)).toBe(`${topic} missed`);
  });

  test.each([
    ["another user's inbox", `apps/tilechat/users/${bob}/messages/${alice}/clientadded`],
    ["another user's outgoing messages", `apps/tilechat/outgoing/users/${bob}/messages/${alice}/outgoing`],
    ["another user's presence", `apps/tilechat/users/${bob}/presence/${bobClient}`],
    ["another user whose id begins with one's own", `apps/tilechat/users/${alice}x/messages/a/clientadded`],
    ["another app", `apps/other/users/${alice}/messages/${bob}/clientadded`],
    ["what components of an original deployment say to each other", "apps/observer/tilechat/groups/update"],
    ["webhooks of an original deployment", "observer/webhook/apps/tilechat/presence"],
    ["anything else", "hello"],
  ])("may not publish on %s", async (_title, topic) => {
    const client = await connected(alice, aliceClient);

    expect(await publishOutcome(client, topic)).toBe("closed");
  });

  test.each([
    ["another user's inbox", `apps/tilechat/users/${bob}/#`],
    ["one topic of another user", `apps/tilechat/users/${bob}/messages/${alice}/clientadded`],
    ["everybody's inboxes", "apps/tilechat/users/+/#"],
    ["everybody's messages to a namesake", `apps/+/users/${alice}/#`],
    ["an app", "apps/tilechat/#"],
    ["one's own outgoing messages", `apps/tilechat/outgoing/users/${alice}/#`],
    ["everything", "#"],
    ["everything of a depth", "+/+/+/+/+/+"],
    ["the broker's own events", "$SYS/#"],
  ])("may not subscribe to %s", async (_title, filter) => {
    const client = await connected(alice, aliceClient);

    expect(await subscribeOutcome(client, filter)).not.toBe("granted");
  });

  test("cannot subscribe under a client id that is not in it", async () => {
    const token = strictToken(alice, aliceClient);
    const client = await connectMqtt(rabbit.mqttUri ?? "", token, `${aliceClient}-other`);
    clients.push(client);

    expect(await subscribeOutcome(client, `apps/tilechat/users/${alice}/#`)).not.toBe("granted");
  });

  test("neither reads nor ends another client's kept session by using its client id", async () => {
    const victim = `${bobClient}-kept`;
    const first = await connected(bob, victim, { clean: false });
    await first.subscribeAsync(`apps/tilechat/users/${bob}/messages/#`, { qos: 1 });
    await first.endAsync();
    const token = strictToken(alice, aliceClient);

    for (const clean of [false, true]) {
      await connectOutcome(rabbit.mqttUri ?? "", token, victim, { clean });
    }

    const depth = await amqpOutcome(owner, (channel) =>
      channel.checkQueue(`mqtt-subscription-${victim}qos1`),
    );
    expect(depth).toBe("done");
    const returned = await connected(bob, victim, { clean: false });
    const received = nextMessage(returned);
    await returned.publishAsync(`apps/tilechat/users/${bob}/messages/${alice}/clientadded`, "mine", {
      qos: 1,
    });
    expect(await received).toMatch(/ mine$/);
  });

  test("cannot speak through its last will where it may not speak itself", async () => {
    const witnesses = [await connected(alice, aliceClient), await connected(bob, bobClient)] as const;
    const filters = [alice, bob].map((user) => `apps/tilechat/users/${user}/#`);
    await Promise.all(witnesses.map((witness, index) => witness.subscribeAsync(filters[index] ?? "")));
    const received = witnesses.map(nextMessage);
    const leave = async (clientId: string, topic: string) => {
      const will = { topic, payload: Buffer.from("will"), qos: 1 as const, retain: false };
      (await connected(alice, clientId, { will })).stream.destroy();
    };

    // The second will is allowed. Its arrival shows that the broker has already handled the first one.
    await leave(`${aliceClient}-forger`, `apps/tilechat/users/${bob}/messages/${alice}/clientadded`);
    await leave(`${aliceClient}-honest`, `apps/tilechat/users/${alice}/presence/x`);

    expect(await received[0]).toBe(`apps/tilechat/users/${alice}/presence/x will`);
    await witnesses[1].publishAsync(`apps/tilechat/users/${bob}/marker`, "end", { qos: 1 });
    expect(await received[1]).toBe(`apps/tilechat/users/${bob}/marker end`);
  });
});

describe("a strict token over AMQP, were the port open to it", () => {
  let connection: ChannelModel;

  beforeEach(async () => {
    connection = await openAmqp(rabbit.uri, strictToken(alice, aliceClient));
    return () => connection.close().catch(() => undefined);
  });

  test.each([
    ["consume a partition", (channel) => channel.consume(foreignQueue, () => undefined)],
    ["look into a partition", (channel) => channel.get(foreignQueue)],
    ["empty a partition", (channel) => channel.purgeQueue(foreignQueue)],
    ["delete a partition", (channel) => channel.deleteQueue(foreignQueue)],
    ["declare a partition", (channel) => channel.assertQueue(foreignQueue, { durable: true })],
    [
      "bind a partition",
      (channel) => channel.bindQueue(foreignQueue, "amq.topic", `apps.tilechat.users.${alice}.#`),
    ],
    ["consume dead letters", (channel) => channel.consume(`chat21.dead.test-${run}`, () => undefined)],
    ["consume a queue of an original deployment", (channel) => channel.consume("messages", () => undefined)],
    ["declare a queue of any name", (channel) => channel.assertQueue(`any-${run}`)],
    ["declare a queue of the broker's naming", (channel) => channel.assertQueue("")],
    [
      "consume another client's queue",
      (channel) => channel.consume(`mqtt-subscription-${bobClient}qos1`, () => undefined),
    ],
    [
      "declare another client's queue",
      (channel) => channel.assertQueue(`mqtt-subscription-${bobClient}qos0`),
    ],
    [
      "declare a queue whose name begins with its own",
      (channel) => channel.assertQueue(`mqtt-subscription-${aliceClient}qos0b`),
    ],
    ["declare an exchange", (channel) => channel.assertExchange(`any-${run}`, "topic")],
    ["delete amq.topic", (channel) => channel.deleteExchange("amq.topic")],
    ["publish into a queue", publishAmqp("", foreignQueue)],
    ["publish into another client's queue", publishAmqp("", `mqtt-subscription-${bobClient}qos1`)],
    [
      "publish as another user",
      publishAmqp("amq.topic", `apps.tilechat.outgoing.users.${bob}.messages.x.outgoing`),
    ],
    [
      "publish into another user's inbox",
      publishAmqp("amq.topic", `apps.tilechat.users.${bob}.messages.x.clientadded`),
    ],
    [
      "publish to our exchange",
      publishAmqp("chat21.in", `apps.tilechat.outgoing.users.${bob}.messages.x.outgoing`),
    ],
    [
      "copy another user's inbox to itself",
      (channel) => channel.bindExchange("amq.topic", "amq.topic", `apps.tilechat.users.${bob}.#`),
    ],
  ] as [string, Parameters<typeof amqpOutcome>[1]][])("may not %s", async (_title, attempt) => {
    // 404 or 405 would mean that the operation passed the permission check.
    expect(await amqpOutcome(connection, attempt)).toBe(403);
  });

  test("may bind its own queue to nothing but its own topics", async () => {
    const queue = `mqtt-subscription-${aliceClient}qos1`;
    const bind = (key: string) =>
      amqpOutcome(connection, async (channel) => {
        await channel.assertQueue(queue, { durable: false, autoDelete: true });
        await channel.bindQueue(queue, "amq.topic", key);
      });

    expect(await bind(`apps.tilechat.users.${alice}.#`)).toBe("done");
    for (const key of ["#", "apps.#", "apps.tilechat.users.*.#", `apps.tilechat.users.${bob}.#`]) {
      expect(await bind(key)).toBe(403);
    }
    await amqpOutcome(connection, (channel) => channel.deleteQueue(queue));
  });

  test("forges a sender through its own queue's dead letters: this is why AMQP is internal for every profile", async () => {
    const witness = await connected(bob, bobClient);
    await witness.subscribeAsync(`apps/tilechat/users/${bob}/#`);
    const received = nextMessage(witness);
    const queue = `mqtt-subscription-${aliceClient}qos0`;
    const forgedKey = `apps.tilechat.users.${bob}.messages.x.clientadded`;

    const outcome = await amqpOutcome(
      connection,
      forgeByDeadLetter(queue, `apps.tilechat.users.${alice}.x`, forgedKey),
    );

    expect(outcome).toBe("done");
    expect(await received).toBe(`apps/tilechat/users/${bob}/messages/x/clientadded forged`);
    await amqpOutcome(connection, (channel) => channel.deleteQueue(queue));
  });

  test("gets a message to another user by the header CC, which RabbitMQ 3.10 does not check and 4.x does", async () => {
    const isChecked = !String(owner.connection.serverProperties.version).startsWith("3.10");
    const witness = await connected(bob, bobClient);
    await witness.subscribeAsync(`apps/tilechat/users/${bob}/#`);
    const received = nextMessage(witness);
    const copies = { CC: [`apps.tilechat.users.${bob}.messages.x.clientadded`] };

    const outcome = await amqpOutcome(
      connection,
      publishAmqp("amq.topic", `apps.tilechat.users.${alice}.x`, copies),
    );

    expect(outcome).toBe(isChecked ? 403 : "done");
    if (!isChecked) expect(await received).toBe(`apps/tilechat/users/${alice}/x forged`);
  });
});

describe("a strict token at the management API", () => {
  test.each(["overview", "connections", "queues", "definitions", "whoami", "bindings"])(
    "may not use /api/%s",
    async (path) => {
      const token = strictToken(alice, aliceClient);
      const basic = `Basic ${Buffer.from(`ignored:${token}`).toString("base64")}`;

      for (const authorization of [basic, `Bearer ${token}`]) {
        const { status } = await fetch(`${rabbit.managementUri}/api/${path}`, { headers: { authorization } });
        expect(status).toBe(401);
      }
    },
  );
});
