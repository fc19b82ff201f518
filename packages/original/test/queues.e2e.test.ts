import { setImmediate } from "node:timers/promises";
import { type AmqpEdgeOptions, definitions } from "@chat21/broker-amqp";
import { ChatError } from "@chat21/protocol";
import { systemClock } from "@chat21/runtime";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type LogLine,
  logInto,
  outgoing,
  RabbitWorld,
  send,
  untilConsumed,
} from "../../broker-amqp/test/rabbit-world.ts";
import {
  type OriginalQueueMessage,
  type OriginalQueuesOptions,
  originalQueuesPolicy,
  takeOriginalQueues,
} from "../src/index.ts";

/** As an original deployment declares and binds them. */
const bindings = {
  messages: [
    "apps.tilechat.outgoing.users.*.messages.*.outgoing",
    "apps.tilechat.users.#.update",
    "apps.tilechat.users.#.archive",
    "apps.tilechat.users.*.presence.*",
    "apps.observer.tilechat.groups.update",
    "apps.observer.tilechat.users.*.messages.*.delivered",
  ],
  persist: ["apps.observer.tilechat.users.*.messages.*.persist"],
  webhooks: ["observer.webhook.apps.tilechat.message_deliver", "observer.webhook.apps.tilechat.presence"],
} as const;

describe("the queues of an original deployment", () => {
  let world: RabbitWorld;
  let channel: Awaited<ReturnType<RabbitWorld["channel"]>>;
  let log: LogLine[];

  beforeEach(async () => {
    world = await RabbitWorld.open();
    log = [];
    channel = await world.channel();
    for (const [queue, patterns] of Object.entries(bindings)) {
      await channel.assertQueue(queue, { durable: true });
      for (const pattern of patterns) await channel.bindQueue(queue, "amq.topic", pattern);
    }
  });
  afterEach(() => world.close());

  /** Options of an edge that takes the queues over. */
  function taking(options: Partial<OriginalQueuesOptions> = {}): Partial<AmqpEdgeOptions> {
    return {
      log: logInto(log),
      beforeConsuming: (queues) =>
        takeOriginalQueues({ queues, clock: systemClock, log: logInto(log), ...options }),
    };
  }

  async function lengthOf(queue: string): Promise<number | "gone"> {
    const fresh = await world.channel();
    return fresh.checkQueue(queue).then(
      ({ messageCount }) => messageCount,
      () => "gone",
    );
  }

  it("are drained in order, before anything newer, and deleted", async () => {
    const texts = Array.from({ length: 600 }, (_, n) => String(n));
    for (const text of texts) send(channel, outgoing("ann", "bob"), text);
    await send(channel, "apps.tilechat.users.bob.presence.phone", "here");
    await channel.waitForConfirms();

    const { edge, handler } = await world.edge({ ...taking(), prefetch: 10 });
    await send(channel, outgoing("ann", "bob"), "newer");
    await handler.until(() => handler.taken.length === 602);

    expect(handler.taken.map(({ text }) => text)).toEqual([...texts, "here", "newer"]);
    expect(handler.taken[600]?.session).toMatchObject({ app: "tilechat", user: "bob", clientId: "phone" });
    expect(await lengthOf("messages")).toBe("gone");
    expect(log).toContainEqual(expect.objectContaining({ fields: { queue: "messages", drained: 601 } }));
    await untilConsumed([edge], 4);
  });

  it("are handed to who wants them, what was not stored or sent before what was not handled", async () => {
    await send(channel, "apps.observer.tilechat.users.ann.messages.bob.persist", '{"text":"stored"}');
    await send(channel, "observer.webhook.apps.tilechat.presence", '{"online":true}');
    await send(channel, outgoing("ann", "bob"), "handled");
    const order: string[] = [];
    const note =
      (queue: string) =>
      async ({ routingKey, payload }: OriginalQueueMessage) => {
        order.push(`${queue} ${routingKey} ${Buffer.from(payload)}`);
      };
    const { edge } = world.unstarted(taking({ onPersisted: note("persist"), onWebhook: note("webhooks") }));
    const { handler } = await world.edge({ leases: undefined });
    handler.onPublish = async ({ text }) => void order.push(text);

    await edge.start(handler);

    expect(order).toEqual([
      'persist apps.observer.tilechat.users.ann.messages.bob.persist {"text":"stored"}',
      'webhooks observer.webhook.apps.tilechat.presence {"online":true}',
      "handled",
    ]);
    expect(await Promise.all(["messages", "persist", "webhooks"].map(lengthOf))).toEqual([
      "gone",
      "gone",
      "gone",
    ]);
    expect(log.filter(({ level }) => level === "warn")).toEqual([]);
  });

  it("keep their order, and what is refused becomes a dead letter", async () => {
    const texts = Array.from({ length: 20 }, (_, n) => String(n));
    const key = "apps.observer.tilechat.users.ann.messages.bob.persist";
    for (const text of texts) send(channel, key, text);
    await channel.waitForConfirms();
    const taken: string[] = [];
    const { edge, counted } = world.unstarted(
      taking({
        onPersisted: async ({ payload }) => {
          const text = String(Buffer.from(payload));
          // The later, the quicker: only one at a time keeps the order.
          for (let turns = Number(text); turns < texts.length; turns += 1) await setImmediate();
          if (text === "7") throw new ChatError("bad_request", "not seven");
          taken.push(text);
        },
      }),
    );

    await edge.start((await world.edge({ leases: undefined })).handler);

    const letter = await channel.get("chat21.dead", { noAck: true });
    expect(taken).toEqual(texts.filter((text) => text !== "7"));
    expect(letter).toMatchObject({
      content: Buffer.from("7"),
      properties: { headers: { "x-chat21-reason": "refused", "x-chat21-detail": "not seven" } },
    });
    expect(counted).toContain("dead_letters refused");
    expect(await lengthOf("persist")).toBe("gone");
  });

  it("stay, from the message on that could not be stored, until it can be", async () => {
    const key = "apps.observer.tilechat.users.ann.messages.bob.persist";
    for (const text of ["a", "b", "c"]) await send(channel, key, text);
    const taken: string[] = [];
    let failures = 1;
    const { edge } = world.unstarted(
      taking({
        onPersisted: async ({ payload }) => {
          const text = String(Buffer.from(payload));
          if (text === "b" && failures-- > 0) throw new ChatError("store_unavailable");
          taken.push(text);
        },
      }),
    );

    await edge.start((await world.edge({ leases: undefined })).handler);

    expect(taken.join("")).toMatch(/^a+bc$/);
    expect(await lengthOf("persist")).toBe("gone");
  });

  it("are left alone where nobody takes them, and the log says so", async () => {
    await send(channel, "apps.observer.tilechat.users.ann.messages.bob.persist", "kept");

    await world.edge(taking());

    expect(await Promise.all(["messages", "persist", "webhooks"].map(lengthOf))).toEqual(["gone", 1, 0]);
    const warnings = log.filter(({ level }) => level === "warn");
    expect(warnings.map(({ fields }) => fields)).toEqual([{ queue: "persist" }, { queue: "webhooks" }]);
  });

  it("keep an edge from starting while somebody else consumes them", async () => {
    await send(channel, outgoing("ann", "bob"), "not ours");
    await channel.consume("messages", () => {}, { noAck: false });
    const { edge } = world.unstarted(taking());

    await expect(edge.start(undefined as never)).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringContaining("the queue messages has 1 consumers"),
    });

    expect(edge.ready).toBe(false);
    expect(await lengthOf("messages")).toBe(0);
    await edge.close(5_000);
  });

  it("stay as they are when they are to be kept, and a policy bounds them", async () => {
    await send(channel, outgoing("ann", "bob"), "kept");

    await world.manage(
      "POST",
      `definitions/${world.vhost}`,
      definitions({ vhost: world.vhost, partitions: 4, policies: [originalQueuesPolicy] }),
    );
    const { handler } = await world.edge(taking({ isKept: true }));
    await send(channel, outgoing("ann", "bob"), "both");
    await handler.until(() => handler.taken.length === 1);

    expect(await lengthOf("messages")).toBe(2);
    expect(await world.manage("GET", `policies/${world.vhost}`)).toContainEqual(
      expect.objectContaining(originalQueuesPolicy),
    );
    expect(log).toContainEqual(
      expect.objectContaining({ level: "warn", fields: { queue: "messages", messages: 1 } }),
    );
  });

  it("are drained by one of several edges that start together", async () => {
    const texts = Array.from({ length: 500 }, (_, n) => String(n));
    await Promise.all(texts.map((text) => send(channel, outgoing("ann", "bob"), text)));
    const edges = [world.unstarted(taking()), world.unstarted(taking()), world.unstarted(taking())];
    const { handler } = await world.edge({ leases: undefined });

    await Promise.all(edges.map(({ edge }) => edge.start(handler)));

    expect(handler.taken.map(({ text }) => text)).toEqual(texts);
    await untilConsumed(
      edges.map(({ edge }) => edge),
      4,
    );
  });
});
