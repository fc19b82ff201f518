import type { ChannelModel } from "amqplib";
import { connect } from "amqplib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Publisher, transient } from "../src/publisher.ts";
import { systemTimers } from "../src/timers.ts";
import { type LogLine, logInto, RabbitWorld } from "./rabbit-world.ts";

describe("publishes that the broker refuses", () => {
  let world: RabbitWorld;
  let connection: ChannelModel;
  let publisher: Publisher;
  const log: LogLine[] = [];

  beforeEach(async () => {
    world = await RabbitWorld.open();
    connection = await connect(world.uri);
    publisher = new Publisher({ log: logInto(log), timers: systemTimers, onBroken: () => {} });
    await publisher.open(connection);
    const channel = await world.channel();
    await channel.assertQueue("full", { durable: true, maxLength: 1, overflow: "reject-publish" });
    await channel.assertQueue("free", { durable: true });
  });
  afterEach(async () => {
    publisher.close();
    await connection.close();
    await world.close();
  });

  const to = (queue: string, text: string) => {
    return { exchange: "", routingKey: queue, content: Buffer.from(text), options: transient };
  };

  it("are repeated, and given up after a while, without holding up the others", async () => {
    await publisher.publish([to("full", "fills it")]);

    const refused = publisher.publish([to("full", "too much")]);
    const others = publisher.publish([to("free", "1"), to("free", "2")]);

    await expect(others).resolves.toBeUndefined();
    await expect(refused).rejects.toMatchObject({ code: "connection_lost", retryable: true });
    expect(log.filter(({ message }) => message === "the broker refused publishes")).toHaveLength(6);
    expect(publisher.unconfirmed).toBe(0);
  });

  it("arrive when there is room again", async () => {
    const channel = await world.channel();
    await publisher.publish([to("full", "fills it")]);
    const waiting = publisher.publish([to("full", "waits")]);
    const drained = publisher.drained();

    expect(await channel.get("full", { noAck: true })).toMatchObject({ content: Buffer.from("fills it") });
    await waiting;
    await drained;

    expect(await channel.get("full", { noAck: true })).toMatchObject({ content: Buffer.from("waits") });
  });
});
