import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTokens } from "../../packages/auth/src/index.ts";
import { connectMqtt, nextMessage, openAmqp } from "../../packages/auth/test/broker-client.ts";
import { type AmqpEdge, createAmqpEdge } from "../../packages/broker-amqp/src/index.ts";
import { MemoryLeases } from "../../packages/broker-amqp/test/memory-leases.ts";
import { RecordingHandler } from "../../packages/broker-amqp/test/recording-handler.ts";
import { takeOriginalQueues } from "../../packages/original/src/index.ts";
import { systemClock } from "../../packages/runtime/src/index.ts";
import { type RequiredRabbit, requireRabbit } from "../../packages/testkit/src/services.ts";

let rabbit: RequiredRabbit;
let edge: AmqpEdge;
const handler = new RecordingHandler();
const left = "apps.tilechat.outgoing.users.alice.messages.bob.outgoing";

beforeAll(async () => {
  rabbit = await requireRabbit({ isOwn: true, asDeployed: { user: "chat21", password: "p-1" } });
  // An original deployment has left a bound queue with a message.
  const original = await openAmqp(rabbit.uri);
  const channel = await original.createConfirmChannel();
  await channel.assertQueue("messages", { durable: true });
  await channel.bindQueue("messages", "amq.topic", "apps.tilechat.outgoing.users.*.messages.*.outgoing");
  channel.publish("amq.topic", left, Buffer.from("left behind"), { persistent: true });
  await channel.waitForConfirms();
  await original.close();
  const quiet = { debug() {}, info() {}, warn() {}, error() {} };
  edge = createAmqpEdge({
    uri: rabbit.uri,
    holder: "observer-1",
    network: "permissions",
    leases: new MemoryLeases(),
    log: quiet,
    metrics: { count() {}, observe() {} },
    beforeConsuming: (queues) => takeOriginalQueues({ queues, clock: systemClock, log: quiet }),
  });
  await edge.start(handler);
});

afterAll(async () => {
  await edge?.close(5_000);
  await rabbit?.stop();
});

test("the user of the broker's configuration may do everything that an observer does", async () => {
  await expect.poll(() => edge.partitions.length).toBe(16);
  expect(edge.ready).toBe(true);
  await handler.until(() => handler.taken.some(({ text }) => text === "left behind"));

  const tokens = createTokens({
    secret: rabbit.jwtSecret ?? "",
    clock: { now: Date.now },
    newId: randomUUID,
  });
  const { token, clientId } = tokens.issue({ app: "tilechat", user: "alice" });
  const client = await connectMqtt(rabbit.mqttUri ?? "", token, clientId);
  await client.subscribeAsync("apps/tilechat/users/alice/#");
  await client.publishAsync("apps/tilechat/outgoing/users/alice/messages/bob/outgoing", "new", { qos: 1 });
  await handler.until(() => handler.taken.some(({ text }) => text === "new"));
  const received = nextMessage(client);
  const topic = "apps/tilechat/users/alice/messages/bob/clientadded";
  await edge.deliver([{ app: "tilechat", user: "alice", topic, payload: "delivered", qos: 1 }]);
  expect(await received).toBe(`${topic} delivered`);

  await client.endAsync();
  await handler.until(() => handler.gone.includes(clientId));
});
