import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { outgoing, RabbitWorld, send, untilConsumed } from "./rabbit-world.ts";

const partitions = 4;

const run = promisify(execFile);
const numbers = (count: number) => Array.from({ length: count }, (_, n) => n);

/** A broker of its own: it is stopped, filled and started again. */
let world: RabbitWorld;

beforeAll(async () => {
  world = await RabbitWorld.open({ isOwn: true });
});
afterAll(() => world.close());

function control(...args: readonly string[]): Promise<unknown> {
  const { control: tool } = world.rabbit;
  if (tool === null) throw new Error("the broker is not ours");
  return run(tool.command, ["--node", tool.node, ...args], { env: { ...process.env, ...tool.env } });
}

function deliveriesOf(texts: readonly string[]) {
  return texts.map((payload) => {
    return { app: "tilechat", user: "bob", topic: "apps/tilechat/users/bob/x", payload, qos: 1 as const };
  });
}

/** The broker counts every five seconds. */
async function untilUnacknowledged(count: number): Promise<void> {
  const look = async () => {
    const queues = await world.manage("GET", `queues/${world.vhost}?columns=messages_unacknowledged`);
    const counts = (queues as { messages_unacknowledged?: number }[]).map(
      (queue) => queue.messages_unacknowledged ?? 0,
    );
    return counts.reduce((sum, one) => sum + one, 0) === count;
  };
  await vi.waitUntil(look, { timeout: 20_000, interval: 200 });
}

describe("an edge whose broker fails", () => {
  it("loses nothing when the broker restarts, and comes back by itself", async () => {
    const { edge, handler } = await world.edge({ holder: "survivor", partitions });
    await untilConsumed([edge], partitions);
    const channel = await world.channel();
    await channel.assertQueue("inbox", { durable: true });
    await channel.bindQueue("inbox", "amq.topic", "apps.tilechat.users.bob.#");
    let release = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    handler.onPublish = () => gate;
    await Promise.all(numbers(20).map((n) => send(channel, outgoing("ann", "zoe"), String(n))));
    await handler.until(() => handler.taken.length === 20);

    await control("stop_app");
    await vi.waitUntil(() => !edge.ready, { timeout: 20_000 });
    const delivered = edge.deliver(deliveriesOf(numbers(50).map(String)));
    handler.onPublish = async () => {};
    handler.taken.splice(0);
    release();
    await control("start_app");
    await delivered;
    await handler.until(() => handler.taken.length >= 20);

    expect(edge.ready).toBe(true);
    expect(handler.taken.map(({ text }) => Number(text))).toEqual(numbers(20));
    const later = await world.channel();
    const texts: string[] = [];
    for (let got = await later.get("inbox"); got; got = await later.get("inbox")) {
      texts.push(got.content.toString());
      later.ack(got);
    }
    expect(texts).toEqual(numbers(50).map(String));
    await edge.close(5_000);
  });

  it("begins nothing and is not ready while the broker takes no publishes, and goes on afterwards", async () => {
    const { edge, handler, log } = await world.edge({ holder: "blocked", partitions });
    await untilConsumed([edge], partitions);
    const channel = await world.channel();
    let finish = () => {};
    handler.onPublish = () => new Promise((resolve) => (finish = resolve));
    await send(channel, outgoing("ann", "zoe"), "before");
    await handler.until(() => handler.taken.length === 1);
    handler.onPublish = async () => {};

    await control("set_vm_memory_high_watermark", "0.00001");
    const delivered = edge.deliver(deliveriesOf(["held"]));
    await vi.waitUntil(() => edge.isBlocked, { timeout: 20_000 });
    expect(edge.partitions).toHaveLength(partitions);
    await untilUnacknowledged(1);
    finish();
    // Its acknowledgement gets through: it goes over a connection that publishes nothing.
    await untilUnacknowledged(0);
    expect(edge.ready).toBe(false);
    const sent = send(channel, outgoing("ann", "zoe"), "meanwhile");
    expect(handler.taken).toHaveLength(1);
    await control("set_vm_memory_high_watermark", "0.4");
    await Promise.all([delivered, sent]);
    await handler.until(() => handler.taken.length === 2);

    expect([edge.ready, edge.isBlocked]).toEqual([true, false]);
    expect(log.map(({ message }) => message)).toContain("the broker takes no publishes");
    await edge.close(5_000);
  });

  it("notices a broker that hangs, and goes on when it answers again", async () => {
    const { edge, handler } = await world.edge({ holder: "patient", partitions });
    await untilConsumed([edge], partitions);
    const { pid } = world.rabbit;
    if (pid === null) throw new Error("the broker is not ours");

    process.kill(pid, "SIGSTOP");
    try {
      await vi.waitUntil(() => !edge.ready, { timeout: 8_000 });
    } finally {
      process.kill(pid, "SIGCONT");
    }
    await untilConsumed([edge], partitions);
    await send(await world.channel(), outgoing("ann", "zoe"), "again");
    await handler.until(() => handler.taken.length === 1);

    expect(edge.ready).toBe(true);
    await edge.close(5_000);
  });

  it("says at once, without its password, that the broker refuses it", async () => {
    const { edge, log } = world.unstarted({ uri: world.uri.replace("guest:guest", "guest:secret-word") });

    const refusal = edge.start(undefined as never);

    await expect(refusal).rejects.toMatchObject({ code: "connection_lost" });
    await expect(refusal).rejects.toThrow(/ACCESS.REFUSED/);
    await expect(refusal).rejects.not.toThrow(/secret-word/);
    expect(JSON.stringify(log)).not.toContain("secret-word");
  });

  it("gives up after its time when nobody answers", async () => {
    const { edge } = world.unstarted({ uri: "amqp://127.0.0.1:1", connectTimeoutMs: 300 });

    await expect(edge.start(undefined as never)).rejects.toThrow(/ECONNREFUSED/);
  });
});
