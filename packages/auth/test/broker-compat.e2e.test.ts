import { randomUUID } from "node:crypto";
import { type RequiredRabbit, requireRabbit } from "@chat21/testkit/services";
import { type ChannelModel, connect as connectAmqp } from "amqplib";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  amqpOutcome,
  connectMqtt,
  forgeByDeadLetter,
  nextMessage,
  openAmqp,
  publishAmqp,
  publishOutcome,
  subscribeOutcome,
} from "./broker-client.ts";
import { sign } from "./fixtures.ts";

const run = randomUUID().slice(0, 8);
const [alice, bob] = [`alice-${run}`, `bob-${run}`];
const foreignQueue = `chat21.partition.test-${run}`;

let rabbit: RequiredRabbit;
let owner: ChannelModel;

beforeAll(async () => {
  rabbit = await requireRabbit();
  owner = await connectAmqp(rabbit.uri);
  const channel = await owner.createChannel();
  await channel.assertQueue(foreignQueue, { durable: true, expires: 600_000 });
  await channel.close();
});

afterAll(async () => {
  await owner?.close();
  await rabbit?.stop();
});

/** A token with exactly the claims of existing issuers, signed without any code of ours. */
function compatToken(user: string): string {
  const seconds = Math.floor(Date.now() / 1_000);
  const own = `apps.tilechat.users.${user}.*`;
  return sign(
    {
      jti: randomUUID(),
      sub: user,
      scope: [
        `rabbitmq.read:*/*/${own}`,
        `rabbitmq.write:*/*/${own}`,
        `rabbitmq.write:*/*/apps.tilechat.outgoing.users.${user}.*`,
        "rabbitmq.configure:*/*/*",
      ],
      client_id: user,
      cid: user,
      azp: user,
      user_id: user,
      app_id: "tilechat",
      iat: seconds,
      exp: seconds + 2_592_000,
      aud: ["rabbitmq", user],
      kid: "tiledesk-key",
      tiledesk_api_roles: "user",
    },
    undefined,
    rabbit.jwtSecret ?? "",
  );
}

test.each(["mqttUri", "webMqttUri"] as const)(
  "a token of an existing issuer works as it did (%s)",
  async (uri) => {
    const client = await connectMqtt(rabbit[uri] ?? "", compatToken(alice), randomUUID());

    expect(await subscribeOutcome(client, `apps/tilechat/users/${alice}/#`)).toBe("granted");
    expect(
      await publishOutcome(client, `apps/tilechat/outgoing/users/${alice}/messages/${bob}/outgoing`),
    ).toBe("taken");
    const received = nextMessage(client);
    expect(await publishOutcome(client, `apps/tilechat/users/${alice}/presence/x`, "on")).toBe("taken");
    expect(await received).toBe(`apps/tilechat/users/${alice}/presence/x on`);
    await client.endAsync();
  },
);

test.each([
  `apps/tilechat/users/${bob}/messages/${alice}/clientadded`,
  `apps/tilechat/outgoing/users/${bob}/messages/${alice}/outgoing`,
])("over MQTT it may not publish on %s", async (topic) => {
  const client = await connectMqtt(rabbit.mqttUri ?? "", compatToken(alice), randomUUID());

  expect(await publishOutcome(client, topic)).toBe("closed");
});

test.each([`apps/tilechat/users/${bob}/#`, "apps/tilechat/users/+/#", "#"])(
  "over MQTT it may not subscribe to %s",
  async (filter) => {
    const client = await connectMqtt(rabbit.mqttUri ?? "", compatToken(alice), randomUUID());

    expect(await subscribeOutcome(client, filter)).not.toBe("granted");
  },
);

test("over MQTT it takes over a session whose client id it knows: the broker ties client ids to nobody", async () => {
  const victim = randomUUID();
  const first = await connectMqtt(rabbit.mqttUri ?? "", compatToken(bob), victim, { clean: false });
  await first.subscribeAsync(`apps/tilechat/users/${bob}/#`, { qos: 1 });
  const witness = await connectMqtt(rabbit.mqttUri ?? "", compatToken(alice), victim, { clean: false });
  const received = nextMessage(witness);
  const topic = `apps/tilechat/users/${bob}/messages/x/clientadded`;
  const sender = await connectMqtt(rabbit.mqttUri ?? "", compatToken(bob), randomUUID());

  await sender.publishAsync(topic, "secret", { qos: 1 });

  expect(await received).toBe(`${topic} secret`);
  witness.end(true);
  await sender.endAsync();
  await amqpOutcome(owner, (channel) => channel.deleteQueue(`mqtt-subscription-${victim}qos1`));
});

// The tests below show an attack that works. `infra/` therefore keeps AMQP and management away from clients.
test("over AMQP it may consume, empty and delete our queues", async () => {
  const connection = await openAmqp(rabbit.uri, compatToken(alice));

  expect(await amqpOutcome(connection, (channel) => channel.consume(foreignQueue, () => undefined))).toBe(
    "done",
  );
  expect(await amqpOutcome(connection, (channel) => channel.purgeQueue(foreignQueue))).toBe("done");
  expect(await amqpOutcome(connection, publishAmqp("", foreignQueue))).toBe("done");
  expect(await amqpOutcome(connection, (channel) => channel.deleteQueue(foreignQueue))).toBe("done");
  await connection.close();
});

test("over AMQP it forges a sender through dead letters", async () => {
  const witness = await connectMqtt(rabbit.mqttUri ?? "", compatToken(bob), randomUUID());
  await witness.subscribeAsync(`apps/tilechat/users/${bob}/#`);
  const received = nextMessage(witness);
  const connection = await openAmqp(rabbit.uri, compatToken(alice));
  const forgedKey = `apps.tilechat.users.${bob}.messages.x.clientadded`;
  const queue = `forger-${run}`;

  await amqpOutcome(connection, forgeByDeadLetter(queue, `apps.tilechat.users.${alice}.x`, forgedKey));

  expect(await received).toBe(`apps/tilechat/users/${bob}/messages/x/clientadded forged`);
  await amqpOutcome(connection, (channel) => channel.deleteQueue(queue));
  await connection.close();
  await witness.endAsync();
});

test.each([
  [
    "publish as another user",
    publishAmqp("amq.topic", `apps.tilechat.outgoing.users.${bob}.messages.x.outgoing`),
  ],
  [
    "bind a queue to another user's inbox",
    async (channel) => {
      const { queue } = await channel.assertQueue("", { exclusive: true });
      await channel.bindQueue(queue, "amq.topic", `apps.tilechat.users.${bob}.#`);
    },
  ],
] as [string, Parameters<typeof amqpOutcome>[1]][])(
  "over AMQP it may not %s directly",
  async (_title, attempt) => {
    const connection = await openAmqp(rabbit.uri, compatToken(alice));

    expect(await amqpOutcome(connection, attempt)).toBe(403);
    await connection.close();
  },
);

test("it may not use the management API", async () => {
  const basic = Buffer.from(`ignored:${compatToken(alice)}`).toString("base64");

  const { status } = await fetch(`${rabbit.managementUri}/api/queues`, {
    headers: { authorization: `Basic ${basic}` },
  });

  expect(status).toBe(401);
});
