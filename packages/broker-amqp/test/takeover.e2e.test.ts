import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { migrateMongoStore } from "@chat21/store-mongo";
import { type RequiredMongo, requireMongo } from "@chat21/testkit/services";
import type { ConfirmChannel } from "amqplib";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { outgoing, RabbitWorld, send } from "./rabbit-world.ts";

const program = fileURLToPath(new URL("observer-process.ts", import.meta.url));
const users = Array.from({ length: 40 }, (_, n) => `user-${n}`);

interface Observer {
  readonly child: ChildProcess;
  /** Partitions that it consumes, as it said last. */
  partitions: number;
}

/** Clients that send numbers as fast as their echo comes, and note what comes and when. */
class Senders {
  readonly heard = new Map<string, number[]>(users.map((user) => [user, []]));
  /** Per user, milliseconds. */
  readonly #arrivals = new Map<string, number[]>(users.map((user) => [user, []]));
  readonly #channel: ConfirmChannel;
  #isOver = false;

  constructor(channel: ConfirmChannel) {
    this.#channel = channel;
  }

  async start(): Promise<void> {
    const { queue } = await this.#channel.assertQueue("", { exclusive: true });
    await this.#channel.bindQueue(queue, "amq.topic", "apps.tilechat.users.*.echo");
    const hear = (key: string, text: string) => {
      const user = key.split(".")[3] as string;
      this.#arrivals.get(user)?.push(performance.now());
      this.heard.get(user)?.push(Number(text));
    };
    await this.#channel.consume(
      queue,
      (message) => message && hear(message.fields.routingKey, `${message.content}`),
      {
        noAck: true,
      },
    );
  }

  /** Sends without a pause, about a thousand a second, until it is told to stop; resolves with how many each sent. */
  async sendUntil(over: Promise<unknown>): Promise<number> {
    const end = over.finally(() => {
      this.#isOver = true;
    });
    // It is waited for below.
    end.catch(() => {});
    for (let n = 0; ; n += 1) {
      if (this.#isOver) return end.then(() => n);
      await Promise.all(users.map((user) => send(this.#channel, outgoing(user, "zoe"), String(n))));
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
  }

  /** What each user heard, without repeats. */
  firsts(): number[][] {
    return [...this.heard.values()].map((numbers) => [...new Set(numbers)]);
  }

  /** Of any user. */
  get longestSilenceMs(): number {
    const gaps = [...this.#arrivals.values()].flatMap((times) =>
      times.slice(1).map((at, index) => at - (times[index] as number)),
    );
    return Math.max(...gaps);
  }

  /** Resolves when every user has heard something that was sent after now. */
  async untilAllHearMore(): Promise<void> {
    const newest = Math.max(...this.firsts().flat(), 0) + 2;
    await vi.waitUntil(() => this.firsts().every((numbers) => numbers.includes(newest)), { timeout: 30_000 });
  }
}

describe.each(["classic", "quorum"] as const)("two observers on %s queues", (queueType) => {
  let world: RabbitWorld;
  let mongo: RequiredMongo;
  let observers: Observer[];

  beforeEach(async () => {
    mongo = await requireMongo();
    await migrateMongoStore(mongo);
    world = await RabbitWorld.open();
    observers = [];
  });
  afterEach(async () => {
    for (const { child } of observers) child.kill("SIGKILL");
    await world.close();
  });

  function observer(name: string): Observer {
    const args = [world.uri, name, mongo.uri, mongo.database, queueType];
    const child = spawn(process.execPath, ["--conditions=@chat21/source", program, ...args], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const made: Observer = { child, partitions: 0 };
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on("line", (line) => {
      made.partitions = Number(line);
    });
    observers.push(made);
    return made;
  }

  const untilShares = (...shares: readonly (readonly [Observer, number])[]) =>
    vi.waitUntil(() => shares.every(([{ partitions }, share]) => partitions === share), { timeout: 30_000 });

  /** Lets both run, does something to one of them, and answers what clients saw. */
  async function whileSending(
    disturb: (first: Observer, second: Observer, senders: Senders) => Promise<void>,
  ) {
    const [first, second] = [observer("first"), observer("second")];
    await untilShares([first, 8], [second, 8]);
    const senders = new Senders(await world.channel());
    await senders.start();
    const sent = await senders.sendUntil(disturb(first, second, senders));
    const all = Array.from({ length: sent }, (_, n) => n);
    await vi.waitUntil(() => senders.firsts().every((numbers) => numbers.length >= sent), {
      timeout: 30_000,
    });
    return { senders, all };
  }

  it("lose and reorder nothing when one is killed, and go on within 3 s", async () => {
    const { senders, all } = await whileSending(async (first, second, senders) => {
      await senders.untilAllHearMore();
      first.child.kill("SIGKILL");
      await senders.untilAllHearMore();
      await untilShares([second, 16]);
    });

    expect(senders.firsts()).toEqual(users.map(() => all));
    expect(senders.longestSilenceMs).toBeLessThan(3_000);
  });

  it("lose and reorder nothing when one hangs and wakes up again, and go on within 8 s", async () => {
    const { senders, all } = await whileSending(async (first, second, senders) => {
      await senders.untilAllHearMore();
      first.child.kill("SIGSTOP");
      await senders.untilAllHearMore();
      first.child.kill("SIGCONT");
      await untilShares([first, 8], [second, 8]);
    });

    expect(senders.firsts()).toEqual(users.map(() => all));
    expect(senders.longestSilenceMs).toBeLessThan(8_000);
  });

  it("repeat nothing when one leaves in order", async () => {
    const { senders, all } = await whileSending(async (first, second) => {
      first.child.kill("SIGTERM");
      await once(first.child, "exit");
      await untilShares([second, 16]);
    });

    expect([...senders.heard.values()]).toEqual(users.map(() => all));
  });
});
