import { type ChannelModel, connect } from "amqplib";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { InboundIntake } from "../src/inbound-intake.ts";
import { PartitionConsumer } from "../src/partition-consumer.ts";
import { Pause } from "../src/pause.ts";
import { outgoing, RabbitWorld, send, untilConsumed } from "./rabbit-world.ts";
import { RecordingHandler } from "./recording-handler.ts";

const numbers = (count: number) => Array.from({ length: count }, (_, n) => n);

describe.each(["classic", "quorum"] as const)("an edge that consumes %s queues", (queueType) => {
  let world: RabbitWorld;

  beforeEach(async () => {
    world = await RabbitWorld.open();
  });
  afterEach(() => world.close());

  async function sendAll(users: readonly string[], texts: readonly number[]): Promise<void> {
    const channel = await world.channel();
    await Promise.all(
      texts.map((n) => send(channel, outgoing(users[n % users.length] as string, "zoe"), String(n))),
    );
  }

  async function queueLengths(partitions: number): Promise<number> {
    const channel = await world.channel();
    const found = await Promise.all(
      numbers(partitions).map((n) => channel.checkQueue(`chat21.partition.${n}`)),
    );
    return found.reduce((sum, { messageCount }) => sum + messageCount, 0);
  }

  it("hands over what clients publish, in the order of each key", async () => {
    const { edge, handler } = await world.edge({ queueType });
    await untilConsumed([edge], 4);
    const users = ["ann", "bob", "eve", "joe"];

    await sendAll(users, numbers(200));
    await handler.until(() => handler.taken.length === 200);

    for (const [index, user] of users.entries()) {
      const texts = handler.taken
        .filter(({ session }) => session.user === user)
        .map(({ text }) => Number(text));
      expect(texts).toEqual(numbers(50).map((n) => n * 4 + index));
    }
    expect(handler.taken.some(({ redelivered }) => redelivered)).toBe(false);
  });

  it("has no more than `prefetch` messages of a partition in flight", async () => {
    const { edge, handler } = await world.edge({ queueType, partitions: 1, prefetch: 7 });
    await untilConsumed([edge], 1);
    const finish: (() => void)[] = [];
    handler.onPublish = () => new Promise((resolve) => void finish.push(resolve));

    await sendAll(["ann"], numbers(20));
    await handler.until(() => handler.taken.length === 7);
    await vi.waitUntil(async () => (await queueLengths(1)) === 13, { timeout: 20_000 });
    expect(handler.taken).toHaveLength(7);
    finish[0]?.();
    finish[1]?.();
    await handler.until(() => handler.taken.length === 9);
    await vi.waitUntil(async () => (await queueLengths(1)) === 11, { timeout: 20_000 });

    expect(handler.taken.map(({ text }) => Number(text))).toEqual(numbers(9));
  });

  it("gets again, in order and marked, everything from the first on that was not finished when its connection broke", async () => {
    const { edge, handler } = await world.edge({ queueType, partitions: 1, holder: "breaks" });
    await untilConsumed([edge], 1);
    // Finished after it or not: the broker must not take the later ones for all of them.
    handler.onPublish = ({ text }) => (text === "10" ? new Promise(() => {}) : Promise.resolve());
    await sendAll(["ann"], numbers(30));
    await handler.until(() => handler.taken.length === 30);
    await vi.waitUntil(async () => (await unacknowledged(world)) === 20, { timeout: 20_000, interval: 200 });
    const before = handler.taken.splice(0);
    handler.onPublish = async () => {};

    await world.breakConnections("breaks");
    await handler.until(() => handler.taken.length === 20);

    expect(before.every(({ isCurrent }) => !isCurrent())).toBe(true);
    expect(handler.taken.map(({ text }) => Number(text))).toEqual(numbers(30).slice(10));
    expect(handler.taken.every(({ redelivered }) => redelivered)).toBe(true);
  });

  it("hands partitions over in order when another process joins and leaves", async () => {
    const first = await world.edge({ queueType });
    await untilConsumed([first.edge], 4);
    const all: { user: string; n: number }[] = [];
    const record = async ({ session: { user }, text }: (typeof first.handler.taken)[0]) => {
      all.push({ user, n: Number(text) });
    };
    first.handler.onPublish = record;
    const channel = await world.channel();
    const users = numbers(12).map((n) => `user-${n}`);
    let sent = 0;
    const sendMore = (count: number) =>
      Promise.all(
        numbers(count).map(() => send(channel, outgoing(users[sent % 12] as string, "zoe"), String(sent++))),
      );

    await sendMore(600);
    const second = world.unstarted({ queueType });
    const heir = first.handler;
    const starting = second.edge.start(heir);
    while (second.edge.partitions.length < 2) await sendMore(60);
    await starting;
    await sendMore(600);
    const closing = first.edge.close(10_000);
    while (second.edge.partitions.length < 4) await sendMore(60);
    await closing;
    await sendMore(60);
    await heir.until(() => all.length >= sent);

    expect(all).toHaveLength(sent);
    expect(
      [...first.log, ...second.log].filter(({ level }) => level !== "info" && level !== "debug"),
    ).toEqual([]);
    for (const user of users) {
      const own = all.filter((taken) => taken.user === user).map(({ n }) => n);
      expect(own).toEqual([...own].sort((a, b) => a - b));
    }
    expect(await queueLengths(4)).toBe(0);
  });

  it("gives back in its place what was never begun, however often a partition changes hands", async () => {
    const handler = new RecordingHandler();
    const { edge } = await world.edge({ queueType, partitions: 1, holder: "declares" });
    await edge.close(5_000);
    await sendAll(["ann"], numbers(3_000));
    handler.onPublish = () => new Promise((resolve) => setTimeout(resolve, Math.random() * 3));

    while (handler.taken.length < 3_000) {
      const connection = await connect(world.uri);
      const consumer = await consume(connection, handler);
      const enough = Math.min(handler.taken.length + 200, 3_000);
      await handler.until(() => handler.taken.length >= enough);
      await consumer.stop();
      // The next one does not wait for it.
      void connection.close();
    }

    expect(handler.taken.map(({ text }) => Number(text))).toEqual(numbers(3_000));
  });

  it("takes nothing while it is paused, and goes on in order", async () => {
    const { edge, handler } = await world.edge({ queueType, partitions: 1, prefetch: 5 });
    await untilConsumed([edge], 1);
    edge.setPaused(true);

    await sendAll(["ann"], numbers(12));
    await vi.waitUntil(async () => (await unacknowledged(world)) === 5, { timeout: 20_000, interval: 200 });
    expect(handler.taken).toHaveLength(0);
    edge.setPaused(false);
    await handler.until(() => handler.taken.length === 12);

    expect(handler.taken.map(({ text }) => Number(text))).toEqual(numbers(12));
  });

  it("begins what waits when the pause ends while a consumer is still being opened", async () => {
    const handler = new RecordingHandler();
    const { edge } = await world.edge({ queueType, partitions: 1, holder: "declares" });
    await edge.close(5_000);
    await sendAll(["ann"], numbers(12));
    const pause = new Pause();
    const connection = await connect(world.uri);

    const opening = consume(connection, handler, pause);
    pause.set(false);
    await handler.until(() => handler.taken.length === 12);

    expect(handler.taken.map(({ text }) => Number(text))).toEqual(numbers(12));
    await (await opening).stop();
    await connection.close();
  });

  it("gives a partition back at once when its lease runs out, and asks for what the last owner left", async () => {
    const { edge, handler } = await world.edge({ queueType, partitions: 2 });
    await untilConsumed([edge], 2);
    expect(handler.takeovers).toBe(1);
    handler.onPublish = () => new Promise(() => {});
    await sendAll(["ann"], [1]);
    await handler.until(() => handler.taken.length === 1);

    world.leases.failure = new Error("the store is away");
    await vi.waitUntil(() => edge.partitions.length === 0, { timeout: 20_000 });
    expect(handler.taken[0]?.isCurrent()).toBe(false);
    world.leases.failure = undefined;
    handler.onPublish = async () => {};
    await handler.until(() => handler.taken.length === 2);

    expect(handler.taken[1]).toMatchObject({ text: "1", redelivered: true });
    expect(handler.takeovers).toBe(2);
  });
});

/** Consumes the first partition without an edge. */
function consume(
  connection: ChannelModel,
  handler: RecordingHandler,
  pause = unpaused(),
): Promise<PartitionConsumer> {
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  const intake = new InboundIntake({
    ...{ handler, apps: undefined, onArrival() {}, log, metrics: { count() {}, observe() {} } },
    publisher: { publish: () => Promise.reject(new Error("there are no dead letters")) },
  });
  const isHeld = () => true;
  return PartitionConsumer.open({
    ...{ connection, partition: 0, prefetch: 100, pause, intake, log, isHeld, onLost: () => {} },
  });
}

function unpaused(): Pause {
  const pause = new Pause();
  pause.set(false);
  return pause;
}

async function unacknowledged(world: RabbitWorld): Promise<number> {
  const queues = (await world.manage("GET", `queues/${world.vhost}`)) as {
    name: string;
    messages_unacknowledged?: number;
  }[];
  return queues
    .filter(({ name }) => name.startsWith("chat21.partition."))
    .reduce((sum, { messages_unacknowledged: count = 0 }) => sum + count, 0);
}
