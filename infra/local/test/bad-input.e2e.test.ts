import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { OldClient } from "@chat21/testkit";
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { openAmqp } from "../../../packages/auth/test/broker-client.ts";
import { allReady, type OwnCluster, startOwnCluster } from "./own-cluster.ts";
import { type Running, runProgram } from "./run-program.ts";

const patience = { timeout: 30_000, interval: 100 };
const partitions = Array.from({ length: 16 }, (_, n) => `chat21.partition.${n}`);

let cluster: OwnCluster;
beforeAll(async () => {
  cluster = await startOwnCluster({ APP_ID: "tilechat" });
});
afterEach(() => cluster?.world.leave());
afterAll(() => cluster?.close());

/** Opens an AMQP connection as guest. It is closed when the test ends. */
async function amqpComponent() {
  const connection = await openAmqp(cluster.broker.rabbit.uri);
  let closing: Promise<void> | undefined;
  const leave = () => {
    closing ??= connection.close();
    return closing;
  };
  onTestFinished(leave);
  const channel = await connection.createConfirmChannel();
  channel.on("error", () => {});
  return { channel, leave };
}

const outgoing = (user: string, recipient: string) =>
  `apps/tilechat/outgoing/users/${user}/messages/${recipient}/outgoing`;
const outgoingKey = (user: string, recipient: string) => outgoing(user, recipient).replaceAll("/", ".");

const dead = (reason: string) => cluster.world.metric("chat21_dead_letters_total", { reason });
const refused = (code: string) => cluster.world.metric("chat21_refused_total", { code });

async function sendsAndHears(from: OldClient, to: OldClient, text: string): Promise<number> {
  const began = performance.now();
  await from.send(to.user, { text, type: "text", channel_type: "direct" }, 1);
  await to.nextMessage(from.user, text);
  return performance.now() - began;
}

/** Measures for one second: the lines that both observers log, and the processor time that they use. */
async function aSecondOfObservers(): Promise<{ readonly lines: number; readonly cpuSeconds: number }> {
  const lines = async () =>
    (await Promise.all([cluster.logOf("observer-1"), cluster.logOf("observer-2")])).flat().length;
  const [linesBefore, cpuBefore] = [await lines(), cluster.cpuSeconds()];
  await delay(1_000);
  return { lines: (await lines()) - linesBefore, cpuSeconds: cluster.cpuSeconds() - cpuBefore };
}

const nested = (depth: number) => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;

describe("a cluster that is given nonsense", () => {
  it("answers every invalid payload, delivers the next good message, and does not loop", async () => {
    const [a, b] = await cluster.world.people("a", "b");
    const payloads = [
      ...['{"text":', "", "null", nested(40), nested(100_000), "[".repeat(1_000_000)],
      ...[randomBytes(2_000), Buffer.alloc(2_000_000, "x"), Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d])],
      `{"text":"${"x".repeat(3_000_000)}"}`,
    ];
    await sendsAndHears(a, b, "warm");
    const before = (await refused("bad_request")) + (await refused("payload_too_large"));

    for (const payload of payloads) await a.publish(outgoing(a.user, b.user), payload, 1);
    const tookMs = await sendsAndHears(a, b, "good");
    const codes = await Promise.all(payloads.map(async () => (await a.nextAnswer()).payload.code));
    const after = (await refused("bad_request")) + (await refused("payload_too_large"));

    expect(tookMs).toBeLessThan(5_000);
    expect([...new Set(codes)].sort()).toEqual(["bad_request", "payload_too_large"]);
    expect(after - before).toBe(payloads.length);
    expect(await cluster.world.history(b.user, a.user)).toHaveLength(2);
    expect((await aSecondOfObservers()).cpuSeconds).toBeLessThan(0.5);
    expect(await cluster.readiness()).toEqual(allReady);
  });

  it("makes a dead letter of a message with an unknown form, with its bytes, one line and one count each, and goes on at once", async () => {
    const { channel } = await amqpComponent();
    const [a, b] = await cluster.world.people("a", "b");
    await sendsAndHears(a, b, "warm");
    const bytes = randomBytes(64);
    const keys = [
      ...["", ".", "...", "apps", "#", "apps.*.users.#", "x".repeat(255), "apps.tilechat.users.ann.nonsense"],
      ...[outgoingKey("", ""), outgoingKey("a%2eb", "bob"), outgoingKey("ann", "x".repeat(180))],
      ...["apps.tilechat.users.ann.presence.", "\u0000.\u0001", "apps.tilechat.users.ä.presence.x"],
    ];
    const before = await dead("unroutable");
    const logged = async () =>
      [...(await cluster.logOf("observer-1")), ...(await cluster.logOf("observer-2"))].filter((line) =>
        line.includes("made a dead letter of a message"),
      ).length;
    const loggedBefore = await logged();

    for (const key of keys)
      channel.publish("chat21.in", key, bytes, { headers: { "x-odd": [1, { a: null }] } });
    // A publish of an old client, with an invalid recipient.
    await a.publish(outgoing(a.user, "a b"), "hello", 1);
    await channel.waitForConfirms();
    const tookMs = await sendsAndHears(a, b, "good");
    await expect.poll(() => dead("unroutable"), patience).toBe(before + keys.length + 1);
    const quiet = await aSecondOfObservers();

    expect(tookMs).toBeLessThan(5_000);
    expect(await logged()).toBe(loggedBefore + keys.length + 1);
    expect(quiet.lines).toBe(0);
    expect(quiet.cpuSeconds).toBeLessThan(0.5);
    const letters: (string | undefined)[] = [];
    for (let got = await channel.get("chat21.dead"); got; got = await channel.get("chat21.dead")) {
      letters.push(got.properties.headers?.["x-chat21-routing-key"]);
      const isOwn = got.properties.headers?.["x-chat21-exchange"] === "chat21.in";
      expect(got.content.equals(isOwn ? bytes : Buffer.from("hello"))).toBe(true);
      channel.ack(got);
    }
    expect(letters.sort()).toEqual([...keys, outgoingKey(a.user, "a b")].sort());
  });

  it("takes no message of an app that APP_ID does not name, and makes a dead letter of one that another deployment's binding delivers", async () => {
    const { channel } = await amqpComponent();
    const [a, b] = await cluster.world.people("a", "b");
    const stranger = cluster.world.newUser("stranger");
    const token = cluster.world.token(stranger, { app: "other" });
    const foreign = await cluster.world.connect(stranger, { app: "other", token, presence: false });
    const before = await dead("unknown_app");
    const pattern = "apps.*.outgoing.users.*.messages.*.outgoing";

    await foreign.send("bob", { text: "nobody takes this" }, 1);
    await sendsAndHears(a, b, "first");
    const unbound = await dead("unknown_app");
    await channel.bindExchange("chat21.in", "amq.topic", pattern);
    await foreign.send("bob", { text: "not served" }, 1);
    const tookMs = await sendsAndHears(a, b, "second");
    await expect.poll(() => dead("unknown_app"), patience).toBe(before + 1);
    await channel.unbindExchange("chat21.in", "amq.topic", pattern);
    const letter = await channel.get("chat21.dead", { noAck: true });

    expect(unbound).toBe(before);
    expect(tookMs).toBeLessThan(5_000);
    expect(letter === false ? null : letter.content.toString()).toContain("not served");
    expect(foreign.untaken()).toEqual([]);
    const rest = await cluster.world.rest(stranger, { app: "other" }).get(`other/${stranger}/conversations`);
    expect(rest.status).toBeGreaterThanOrEqual(400);
  });
});

describe("a consumer that is not ours", () => {
  /** Starts one more observer. It is stopped when the test ends. */
  function anotherObserver(): Running {
    const { uri, jwtSecret } = cluster.broker.rabbit;
    const running = runProgram("observer", {
      ...{ RABBITMQ_URI: uri, MONGODB_URI: cluster.mongoUri, JWT_KEY: jwtSecret ?? "" },
      ...{ CHAT21_HOST: "127.0.0.1", METRICS_PORT: "0", APP_ID: "tilechat" },
    });
    onTestFinished(async () => {
      running.signal("SIGKILL");
      await running.ended;
    });
    return running;
  }

  it("on the original's queue `messages` keeps a new observer from starting; the observer says what to do", async () => {
    const { channel } = await amqpComponent();
    await channel.assertQueue("messages", { durable: true });
    await channel.consume("messages", () => {});

    const { code, stderr } = await anotherObserver().ended;
    await channel.deleteQueue("messages");

    expect(code).toBe(1);
    expect(stderr).toBe(
      "chat21-observer: RabbitMQ: the queue messages has 1 consumers that are not ours: " +
        "stop the original server first\n",
    );
    expect(await cluster.readiness()).toEqual(allReady);
  });

  it("on the partitions gets nothing while an observer consumes them; messages it gets at a change of owner wait until it goes", async () => {
    const { channel, leave } = await amqpComponent();
    const stolen: string[] = [];
    const [a, b] = await cluster.world.people("a", "b");
    for (const queue of partitions) {
      await channel.consume(queue, (message) => void stolen.push(message?.fields.routingKey ?? ""));
    }
    await sendsAndHears(a, b, "beside it");
    const whileConsumed = [...stolen];

    // When a partition changes its owner, the broker activates the consumer that has waited longest: the stranger.
    const third = anotherObserver();
    const { metricsUrl } = await third.ready;
    const share = async () =>
      /^chat21_partitions (\d+)$/m.exec(await (await fetch(String(metricsUrl))).text())?.[1];
    // Sixteen partitions are shared by three observers.
    await expect.poll(share, patience).toMatch(/^[56]$/);
    third.signal("SIGTERM");
    await third.ended;
    const users = Array.from({ length: 32 }, () => cluster.world.newUser("peer"));
    for (const user of users) await a.send(user, { text: "held" }, 1);
    await expect.poll(() => stolen.length, patience).toBeGreaterThan(0);
    await leave();

    expect(whileConsumed).toEqual([]);
    await Promise.all(users.map((user) => a.nextMessage(user, "held")));
    expect(await cluster.readiness()).toEqual(allReady);
  });
});
