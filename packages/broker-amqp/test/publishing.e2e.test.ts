import type { Fact } from "@chat21/engine";
import { parseClientTopic, topics, toRoutingKey } from "@chat21/protocol";
import { connect } from "amqplib";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { RabbitWorld, type TestEdge, untilConsumed } from "./rabbit-world.ts";

describe("an edge that only publishes", () => {
  let world: RabbitWorld;
  let api: TestEdge;

  beforeAll(async () => {
    world = await RabbitWorld.open();
    api = await world.edge({ leases: undefined, holder: "api" });
  });
  afterAll(() => world.close());

  async function listen(pattern: string, exchange = "amq.topic") {
    const channel = await world.channel();
    const { queue } = await channel.assertQueue("", { exclusive: true });
    await channel.bindQueue(queue, exchange, pattern);
    const got: { key: string; text: string; properties: object }[] = [];
    await channel.consume(queue, (message) => {
      if (message === null) return;
      const { fields, properties, content } = message;
      got.push({ key: fields.routingKey, text: content.toString(), properties });
    });
    return got;
  }

  const delivery = (user: string, payload: string) => ({
    ...{ app: "tilechat", user, payload, qos: 1 as const },
    topic: topics.messageAdded("tilechat", user, "ann"),
  });

  it("is ready, and consumes nothing", async () => {
    expect(api.edge.ready).toBe(true);
    expect(api.edge.partitions).toEqual([]);
    expect(api.edge.reaches("tilechat", "anybody")).toBe(true);
    expect(api.edge.capabilities).toMatchObject({ product: "RabbitMQ", saysBlocked: true });
    const channel = await world.channel();
    await expect(channel.checkQueue("chat21.partition.0")).rejects.toMatchObject({ code: 404 });
  });

  it("delivers in the order of the calls, transient, and resolves when the broker has all", async () => {
    const got = await listen("apps.tilechat.users.bob.#");
    const texts = Array.from({ length: 3_000 }, (_, n) => `{"n":${n}}`);

    const batches = Array.from({ length: 30 }, (_, n) => texts.slice(n * 100, n * 100 + 100));
    await Promise.all(batches.map((batch) => api.edge.deliver(batch.map((text) => delivery("bob", text)))));
    await vi.waitUntil(() => got.length === 3_000, { timeout: 20_000 });

    expect(got.map(({ text }) => text)).toEqual(texts);
    expect(got[0]).toMatchObject({
      key: "apps.tilechat.users.bob.messages.ann.clientadded",
      properties: { deliveryMode: 1 },
    });
    expect(api.edge.deliver([])).toBeUndefined();
  });

  it("refuses a batch with a key that the broker would not take, and only that one", async () => {
    const tooLong = { ...delivery("bob", "x"), topic: `apps/${"x".repeat(300)}` };

    await expect(api.edge.deliver([tooLong])).rejects.toMatchObject({ code: "bad_request" });
    await expect(api.edge.deliver([delivery("bob", "fine")])).resolves.toBeUndefined();
  });

  it("knows who listens", async () => {
    await listen("apps.tilechat.users.bob.#");

    const users = ["nobody", "bob", "somebody"].map((user) => ({ app: "tilechat", user }));
    expect(await api.edge.probe?.(users)).toEqual([false, true, false]);
    expect(await api.edge.probe?.([])).toEqual([]);
  });

  it("tells other processes what is out of date, and not itself", async () => {
    const other = await world.edge({ leases: undefined, holder: "other" });
    const told: string[] = [];
    other.edge.invalidations.onReceived(
      ({ app, conversation }) => void told.push(`other ${app} ${conversation}`),
    );
    api.edge.invalidations.onReceived(
      ({ app, conversation }) => void told.push(`api ${app} ${conversation}`),
    );

    const stranger = await world.channel();
    stranger.publish("chat21.invalidations", "", Buffer.from("no JSON"));
    await stranger.waitForConfirms();
    api.edge.invalidations.send({ app: "tilechat", conversation: "ann.bob" });
    await vi.waitUntil(() => told.length === 1, { timeout: 20_000 });
    other.edge.invalidations.send({ app: "tilechat", conversation: "group-1" });
    await vi.waitUntil(() => told.length === 2, { timeout: 20_000 });

    expect(told).toEqual(["other tilechat ann.bob", "api tilechat group-1"]);
  });

  it("publishes events for backends, persistent, under ids that stay the same", async () => {
    const got = await listen("apps.tilechat.message-sent", "chat21.events");
    const fact = { kind: "presence", app: "tilechat", user: "ann", presence: "online", at: 1 } as const;
    const sink = api.edge.eventSink(({ kind }: Fact) => [
      {
        event: "message-sent",
        app: "tilechat",
        id: () => `id-${kind}`,
        body: () => '{"event_type":"message-sent"}',
      },
      { event: "message-delivered", app: "tilechat", id: () => "unheard", body: () => "{}" },
    ]);

    await sink.accept([fact]);
    await sink.accept([fact]);
    await vi.waitUntil(() => got.length === 2, { timeout: 20_000 });

    expect(got[0]).toMatchObject({
      text: '{"event_type":"message-sent"}',
      properties: { deliveryMode: 2, messageId: "id-presence", contentType: "application/json" },
    });
    expect(got[1]?.properties).toMatchObject({ messageId: "id-presence" });
  });

  it("refuses to publish once it is closed", async () => {
    const { edge } = await world.edge({ leases: undefined, holder: "closed" });

    await edge.close(5_000);

    await expect(edge.deliver([delivery("bob", "late")])).rejects.toMatchObject({ code: "shutting_down" });
    expect(edge.ready).toBe(false);
  });

  it("goes by the user of the topic, and by the device where the topic names one", async () => {
    const { edge, handler } = await world.edge({ holder: "taker" });
    await untilConsumed([edge], 4);
    const connection = await connect(world.uri);
    const channel = await connection.createConfirmChannel();
    const sent = [
      topics.outgoing("tilechat", "ann", "bob"),
      topics.command("tilechat", "ann", "phone"),
      topics.presence("tilechat", "ann", "tablet"),
      topics.receipt("tilechat", "ann", "bob", "m-1"),
      topics.conversationUpdate("tilechat", "ann", "bob"),
      topics.conversationArchive("tilechat", "ann", "group-1"),
    ];

    for (const topic of sent) channel.publish("amq.topic", toRoutingKey(topic), Buffer.from("{}"));
    await channel.waitForConfirms();
    await handler.until(() => handler.taken.length === sent.length);
    await connection.close();

    const devices = Object.fromEntries(
      handler.taken.map(({ topic, session }) => [parseClientTopic(topic)?.kind, session.clientId]),
    );
    expect(devices).toEqual({
      ...{ send: "all", command: "phone", presence: "tablet" },
      ...{ receipt: "all", "conversation-update": "all", "conversation-archive": "all" },
    });
    expect(handler.taken.every(({ session }) => session.user === "ann" && !session.admin)).toBe(true);
  });
});
