import { describe, expect, it } from "vitest";
import { deliveryPublications } from "../src/delivery-publications.ts";
import { Publisher, transient } from "../src/publisher.ts";
import { createManualTimers } from "./manual-timers.ts";

const log = { debug() {}, info() {}, warn() {}, error() {} };

function publication(text: string) {
  return { exchange: "amq.topic", routingKey: "key", content: Buffer.from(text), options: transient };
}

function publisherOf(bounds: { unconfirmed: number; unconfirmedBytes: number }) {
  return new Publisher({ log, timers: createManualTimers(), bounds, onBroken: () => {} });
}

describe("a publisher without a connection", () => {
  it("keeps what it is given, up to a number, and refuses the rest", async () => {
    const publisher = publisherOf({ unconfirmed: 3, unconfirmedBytes: 1_000 });
    const kept = [
      publisher.publish([publication("a"), publication("b")]),
      publisher.publish([publication("c")]),
    ];

    await expect(publisher.publish([publication("d")])).rejects.toMatchObject({
      code: "connection_lost",
      retryable: true,
    });

    expect(publisher.unconfirmed).toBe(3);
    publisher.close();
    for (const promise of kept) await expect(promise).rejects.toMatchObject({ code: "shutting_down" });
  });

  it("keeps what it is given, up to a size", async () => {
    const publisher = publisherOf({ unconfirmed: 100, unconfirmedBytes: 10 });
    const kept = publisher.publish([publication("0123456789")]);

    await expect(publisher.publish([publication("d")])).rejects.toMatchObject({ code: "connection_lost" });

    publisher.close();
    await expect(kept).rejects.toMatchObject({ code: "shutting_down" });
  });

  it("takes a batch whole that is larger than what it may keep: it could never be published otherwise", async () => {
    const publisher = publisherOf({ unconfirmed: 1, unconfirmedBytes: 1 });

    const kept = publisher.publish([publication("aa"), publication("bb")]);

    expect(publisher.unconfirmed).toBe(2);
    publisher.close();
    await expect(kept).rejects.toMatchObject({ code: "shutting_down" });
  });

  it("has nothing to wait for when it was given nothing", async () => {
    const publisher = publisherOf({ unconfirmed: 1, unconfirmedBytes: 1 });

    await expect(publisher.publish([])).resolves.toBeUndefined();
    await expect(publisher.drained()).resolves.toBeUndefined();
  });
});

describe("deliveries", () => {
  it("share the bytes of a text that several in a row have", () => {
    const delivery = (user: string, payload: string) => {
      return { app: "a", user, topic: `apps/a/users/${user}/x`, payload, qos: 1 as const };
    };

    const made = deliveryPublications([delivery("a", "{}"), delivery("b", "{}"), delivery("c", "{ }")]);

    expect(made[0]?.content).toBe(made[1]?.content);
    expect(made.map(({ routingKey }) => routingKey)).toEqual(
      ["a", "b", "c"].map((user) => `apps.a.users.${user}.x`),
    );
    expect(made[2]?.content.toString()).toBe("{ }");
  });
});
