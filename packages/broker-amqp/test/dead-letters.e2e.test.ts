import { ChatError } from "@chat21/protocol";
import type { GetMessage } from "amqplib";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { outgoing, RabbitWorld, send, type TestEdge, untilConsumed } from "./rabbit-world.ts";

describe("what an edge cannot hand over", () => {
  let world: RabbitWorld;
  let taker: TestEdge;
  /** Apart, because its queues are of another type. */
  let crashing: RabbitWorld;

  beforeAll(async () => {
    world = await RabbitWorld.open();
    crashing = await RabbitWorld.open();
    taker = await world.edge({ apps: ["tilechat"] });
    await untilConsumed([taker.edge], 4);
  });
  afterAll(() => Promise.all([world.close(), crashing.close()]));
  beforeEach(() => {
    taker.handler.taken.splice(0);
    taker.handler.onPublish = async () => {};
    taker.counted.splice(0);
  });

  async function deadLetter(): Promise<GetMessage> {
    const channel = await world.channel();
    const letter = await vi.waitUntil(() => channel.get("chat21.dead", { noAck: true }), { timeout: 20_000 });
    return letter;
  }

  /** Past the exchange's bindings, as whoever may publish to it can. */
  async function sendInside(key: string, content: Buffer): Promise<void> {
    const channel = await world.channel();
    channel.publish("chat21.in", key, content, { headers: { "x-mqtt-dup": false } });
    await channel.waitForConfirms();
  }

  it.each([
    ["a key that no client has", "apps.tilechat.users.ann.nonsense", "unroutable"],
    ["an id outside the alphabet", "apps.tilechat.outgoing.users.a%b.messages.bob.outgoing", "unroutable"],
    ["an empty id", "apps.tilechat.outgoing.users..messages.bob.outgoing", "unroutable"],
    ["an app that is not served", "apps.other.outgoing.users.ann.messages.bob.outgoing", "unknown_app"],
  ])("keeps %s as a dead letter with its bytes and its reason", async (_, key, reason) => {
    const content = Buffer.from([0, 255, 1, 254]);

    await sendInside(key, content);
    const letter = await deadLetter();

    expect(letter.content.equals(content)).toBe(true);
    expect(letter.properties.deliveryMode).toBe(2);
    expect(letter.properties.headers).toMatchObject({
      "x-mqtt-dup": false,
      "x-chat21-reason": reason,
      "x-chat21-routing-key": key,
      "x-chat21-exchange": "chat21.in",
      "x-chat21-time": expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    });
    await vi.waitUntil(() => taker.counted.includes(`dead_letters ${reason}`), { timeout: 20_000 });
    expect(taker.handler.taken).toHaveLength(0);
  });

  it("keeps what the handler fails on, and goes on with the next", async () => {
    taker.handler.onPublish = async ({ text }) => {
      if (text === "poison") throw new TypeError("x is not a function");
    };
    const channel = await world.channel();

    await send(channel, outgoing("ann", "bob"), "poison");
    await send(channel, outgoing("ann", "bob"), "good");
    const letter = await deadLetter();
    await taker.handler.until(() => taker.handler.taken.length === 2);

    expect(letter.content.toString()).toBe("poison");
    expect(letter.properties.headers).toMatchObject({
      "x-chat21-reason": "internal",
      "x-chat21-detail": "x is not a function",
      "x-chat21-exchange": "amq.topic",
    });
    expect(JSON.stringify(taker.log)).not.toContain("poison");
  });

  it("gets a message again that the handler will not decide on now, in order and without a dead letter", async () => {
    let refusals = 0;
    const begun = (text: string) => taker.handler.taken.filter((taken) => taken.text === text).length;
    taker.handler.onPublish = async ({ text }) => {
      if (text !== "0" || refusals++ > 0) return;
      await taker.handler.until(() => begun("2") > 0);
      throw new ChatError("shutting_down");
    };
    const channel = await world.channel();

    await Promise.all(["0", "1", "2"].map((text) => send(channel, outgoing("ann", "bob"), text)));
    await taker.handler.until(() => begun("2") === 2);

    const again = taker.handler.taken.slice(-3);
    expect(again.map(({ text, redelivered }) => [text, redelivered])).toEqual([
      ["0", true],
      ["1", true],
      ["2", true],
    ]);
    expect(await channel.checkQueue("chat21.dead")).toMatchObject({ messageCount: 0 });
  });

  it("keeps what no process survives, on quorum queues, after it was tried alone", async () => {
    const { edge, handler, counted } = await crashing.edge({ queueType: "quorum", partitions: 1 });
    await untilConsumed([edge], 1);
    const inFlight = new Set<string>();
    const beside: number[] = [];
    handler.onPublish = async ({ text }) => {
      if (text === "crash") {
        beside.push(inFlight.size);
        // What a process leaves behind that ends: nothing of it is acknowledged.
        throw new ChatError("shutting_down");
      }
      inFlight.add(text);
      await new Promise((resolve) => setImmediate(resolve));
      inFlight.delete(text);
    };
    const channel = await crashing.channel();

    const texts = ["before", "crash", "after-1", "after-2"];
    await Promise.all(texts.map((text) => send(channel, outgoing("ann", "bob"), text)));
    const letter = await vi.waitUntil(() => channel.get("chat21.dead", { noAck: true }), { timeout: 20_000 });
    const last = () => handler.taken.slice(-2).map(({ text }) => text);
    await handler.until(() => last().join() === "after-1,after-2");

    expect(letter.content.toString()).toBe("crash");
    expect(letter.properties.headers?.["x-chat21-reason"]).toBe("crashes");
    expect(handler.taken.filter(({ text }) => text === "crash")).toHaveLength(5);
    expect(beside.slice(-2)).toEqual([0, 0]);
    expect(counted.filter((name) => name.startsWith("dead_letters"))).toEqual(["dead_letters crashes"]);
  });

  it("takes nothing at all that no client of ours publishes", async () => {
    const channel = await world.channel();
    const returned: string[] = [];
    channel.on("return", ({ fields }) => void returned.push(fields.routingKey));
    const keys = [
      "apps.tilechat.users.ann.messages.bob.clientadded",
      "apps.observer.tilechat.users.ann.messages.bob.persist",
      "apps.tilechat.users.ann.conversations.bob.x.update",
      "apps.other.outgoing.users.ann.messages.bob.outgoing",
    ];

    for (const key of keys) channel.publish("amq.topic", key, Buffer.from("x"), { mandatory: true });
    await channel.waitForConfirms();

    expect(returned).toEqual(keys);
  });
});
