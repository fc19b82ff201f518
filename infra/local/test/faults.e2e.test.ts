import { setTimeout as delay } from "node:timers/promises";
import type { OldClient } from "@chat21/testkit";
import { MongoClient } from "mongodb";
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { allReady, allWithout, type OwnCluster, startOwnCluster } from "./own-cluster.ts";
import { SteadySender, textsBetween } from "./steady-sender.ts";

/** Longest wait for a cluster to recover, on a busy machine. */
const patience = { timeout: 40_000, interval: 100 };

let cluster: OwnCluster;
beforeAll(async () => {
  cluster = await startOwnCluster();
});
afterEach(() => cluster?.world.leave());
afterAll(() => cluster?.close());

/** Each of 16 partitions may log a fault once, and so may each attempt to recover. More lines mean a loop. */
const mostLines = 150;

/** Starts one sender for each flag: with ids, or without. */
function startSenders(recipient: string, ...hasIds: readonly boolean[]): readonly SteadySender[] {
  const senders = hasIds.map((has) => new SteadySender(cluster.world, { recipient, hasIds: has }));
  onTestFinished(() => {
    for (const sender of senders) sender.abandon();
  });
  return senders;
}

/**
 * Reads the observers' process ids and log sizes. While services fail, the ids must stay and the logs must stay short.
 */
async function observersNow() {
  const pids = [cluster.pidOf("observer-1"), cluster.pidOf("observer-2")];
  const lines = await Promise.all([cluster.logOf("observer-1"), cluster.logOf("observer-2")]);
  return { pids, lines: lines.map(({ length }) => length) };
}

async function expectSameObservers(before: Awaited<ReturnType<typeof observersNow>>): Promise<void> {
  const { pids, lines } = await observersNow();
  expect(pids).toEqual(before.pids);
  for (const [index, count] of lines.entries()) {
    expect(count - (before.lines[index] ?? 0)).toBeLessThan(mostLines);
  }
}

/** Resolves when each sender has `more` further acknowledged messages. */
async function untilAcknowledged(senders: readonly SteadySender[], more: number): Promise<void> {
  const goals = senders.map(({ acknowledged }) => acknowledged + more);
  const reached = () => senders.every(({ acknowledged }, index) => acknowledged >= (goals[index] ?? 0));
  await expect.poll(reached, patience).toBe(true);
}

const becomes = (expected: readonly string[]) => expect.poll(cluster.readiness, patience).toEqual(expected);

/** Returns the texts that a client got from a user, in order of arrival. */
function heardBy(client: OldClient, from: string): readonly string[] {
  const topic = `apps/tilechat/users/${client.user}/messages/${from}/clientadded`;
  return client.untaken((frame) => frame.topic === topic).map(({ payload }) => payload.text);
}

/** Returns the history of a sender, once it contains the last text. */
async function historyOf({ user, recipient }: SteadySender, sent: readonly string[]) {
  const read = () => textsBetween(cluster.world, user, recipient);
  await expect.poll(read, patience).toContain(sent.at(-1));
  return read();
}

/** Makes the primary step down. It is the only member, and is primary again after `seconds`. */
async function stepDown(uri: string, seconds: number): Promise<void> {
  const client = new MongoClient(uri);
  try {
    await client.db("admin").command({ replSetStepDown: seconds, force: true });
  } finally {
    await client.close();
  }
}

async function expectGoodAsNew(): Promise<void> {
  const [a, b] = await cluster.world.people("ann", "bob");
  await a.send(b.user, { text: "as before" }, 1);
  await b.nextMessage(a.user, "as before");
}

describe("a cluster under load", () => {
  it("keeps acknowledged messages, once and in order, when the broker stops and starts again", async () => {
    const before = await observersNow();
    const senders = startSenders(cluster.world.newUser("bob"), true, true, true);
    await untilAcknowledged(senders, 50);

    await cluster.broker.stop();
    await becomes(allWithout("broker_unavailable"));
    await cluster.broker.start();
    await becomes(allReady);
    await untilAcknowledged(senders, 50);
    const sent = await Promise.all(senders.map((sender) => sender.stop()));

    for (const [index, sender] of senders.entries()) {
      expect(await historyOf(sender, sent[index] ?? [])).toEqual(sent[index]);
    }
    await expectGoodAsNew();
    await expectSameObservers(before);
  }, 60_000);

  it("loses and doubles nothing when MongoDB pauses for five seconds, and goes on delivering", async () => {
    const before = await observersNow();
    const bob = await cluster.world.connect(cluster.world.newUser("bob"));
    const senders = startSenders(bob.user, true, true, false, false);
    await untilAcknowledged(senders, 50);
    const mongo = cluster.mongo.pid ?? 0;

    process.kill(mongo, "SIGSTOP");
    try {
      await Promise.all([delay(5_000), becomes(allWithout("store_unavailable"))]);
    } finally {
      process.kill(mongo, "SIGCONT");
    }
    await becomes(allReady);
    await untilAcknowledged(senders, 50);
    const sent = await Promise.all(senders.map((sender) => sender.stop()));

    for (const [index, sender] of senders.entries()) {
      const texts = sent[index] ?? [];
      expect(await historyOf(sender, texts)).toEqual(texts);
      await expect.poll(() => [...new Set(heardBy(bob, sender.user))], patience).toEqual(texts);
    }
    await expectGoodAsNew();
    await expectSameObservers(before);
  }, 60_000);

  it("loses and doubles nothing when MongoDB's primary steps down", async () => {
    const before = await observersNow();
    const bob = await cluster.world.connect(cluster.world.newUser("bob"));
    const senders = startSenders(bob.user, true, true, false, false);
    await untilAcknowledged(senders, 50);

    await stepDown(cluster.mongo.uri, 3);
    await untilAcknowledged(senders, 50);
    const sent = await Promise.all(senders.map((sender) => sender.stop()));

    for (const [index, sender] of senders.entries()) {
      const texts = sent[index] ?? [];
      expect(await historyOf(sender, texts)).toEqual(texts);
      await expect.poll(() => [...new Set(heardBy(bob, sender.user))], patience).toEqual(texts);
    }
    await becomes(allReady);
    await expectGoodAsNew();
    await expectSameObservers(before);
  }, 60_000);

  it("goes on when one of two observers is killed: ids once, the rest at least once, all in order", async () => {
    const bob = await cluster.world.connect(cluster.world.newUser("bob"));
    const senders = startSenders(bob.user, true, true, true, false, false, false);
    await untilAcknowledged(senders, 50);
    const killed = cluster.pidOf("observer-1") ?? 0;

    process.kill(killed, "SIGKILL");
    const next = senders.map(({ user, sent }) => ({ user, text: `m${sent}` }));
    const areHeard = () => next.every(({ user, text }) => heardBy(bob, user).includes(text));
    // The lease of a dead observer lasts for two seconds at most.
    await expect.poll(areHeard, { timeout: 8_000, interval: 50 }).toBe(true);
    await untilAcknowledged(senders, 50);
    const sent = await Promise.all(senders.map((sender) => sender.stop()));

    for (const [index, sender] of senders.entries()) {
      const texts = sent[index] ?? [];
      const stored = await historyOf(sender, texts);
      expect(index < 3 ? stored : [...new Set(stored)]).toEqual(texts);
      await expect.poll(() => [...new Set(heardBy(bob, sender.user))], patience).toEqual(texts);
    }
    await becomes(allReady);
    expect(cluster.pidOf("observer-1")).not.toBe(killed);
  }, 60_000);

  it("answers REST while the broker's disk is full, and delivers everything when there is room again", async () => {
    const before = await observersNow();
    const [ann, bob] = await cluster.world.people("ann", "bob");
    const post = async (text: string) => {
      const path = `v1/tilechat/conversations/${bob.user}/messages`;
      const body = { text, type: "text", client_message_id: text };
      const { status } = await cluster.world.rest(ann.user).post(path, body);
      return status;
    };
    // The broker tells only publishers that it takes nothing more, so both sides publish first.
    expect(await post("before")).toBe(201);
    await ann.send(bob.user, { text: "warm" }, 1);
    await bob.nextMessage(ann.user, "warm");

    await cluster.broker.ctl("set_disk_free_limit", "900000GB");
    onTestFinished(() => cluster.broker.ctl("set_disk_free_limit", "50MB").then(() => {}));
    const began = performance.now();
    const statuses = await Promise.all(["full-1", "full-2", "full-3"].map(post));
    const tookMs = performance.now() - began;
    await becomes(allWithout("broker_blocked"));
    const held = ann.send(bob.user, { text: "held" }, 1);
    await cluster.broker.ctl("set_disk_free_limit", "50MB");
    await becomes(allReady);
    await held;
    await bob.nextMessage(ann.user, "held");

    expect(statuses).toEqual([201, 201, 201]);
    expect(tookMs).toBeLessThan(10_000);
    for (const text of ["full-1", "full-2", "full-3"]) await bob.nextMessage(ann.user, text);
    await expectGoodAsNew();
    await expectSameObservers(before);
  }, 60_000);
});
