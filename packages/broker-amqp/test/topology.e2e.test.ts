import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { definitions, names } from "../src/index.ts";
import { outgoing, RabbitWorld, send, untilConsumed } from "./rabbit-world.ts";

type Row = Readonly<Record<string, unknown>>;

const bounded = { name: "others", pattern: "^(theirs|hers)$", definition: { "max-length": 100_000 } };

describe("the definitions", () => {
  let world: RabbitWorld;

  beforeEach(async () => {
    world = await RabbitWorld.open();
  });
  afterEach(() => world.close());

  /** The exchanges of the network of nodes. The processes make them: one is named after their database. */
  const isOfNodes = ({ name }: Row) => name === names.nodes || name === names.plugin(world.vhost);

  /** The broker's own export, without its standard objects and without those of connections and of nodes. */
  async function exported() {
    const all = (await world.manage("GET", `definitions/${world.vhost}`)) as Record<string, Row[]>;
    const rows = (kind: string) => (all[kind] ?? []).map((row) => ({ vhost: world.vhost, ...row }) as Row);
    return {
      exchanges: rows("exchanges").filter((row) => !isOfNodes(row)),
      queues: rows("queues"),
      bindings: rows("bindings"),
      policies: rows("policies"),
    };
  }

  const sorted = (rows: readonly object[]) =>
    rows.map((row) => JSON.stringify(row, Object.keys(row).sort())).sort();

  it.each([
    { queueType: "classic", apps: undefined, partitions: undefined },
    { queueType: "quorum", apps: ["tilechat", "support"], partitions: 3 },
  ] as const)("are what is declared: $queueType, $apps", async (options) => {
    await world.edge(options);

    const declared = await exported();
    const expected = definitions({ ...options, vhost: world.vhost });

    expect(sorted(declared.exchanges)).toEqual(sorted(expected.exchanges));
    expect(sorted(declared.queues)).toEqual(sorted(expected.queues));
    expect(sorted(declared.bindings)).toEqual(sorted(expected.bindings));
  });

  it("can be imported, before and after an edge has declared the same", async () => {
    const expected = definitions({ vhost: world.vhost, partitions: 4, policies: [bounded] });

    await world.manage("POST", `definitions/${world.vhost}`, expected);
    const { edge, handler } = await world.edge();
    await world.manage("POST", `definitions/${world.vhost}`, expected);
    await untilConsumed([edge], 4);
    await send(await world.channel(), outgoing("ann", "bob"), "x");
    await handler.until(() => handler.taken.length === 1);

    expect(sorted((await exported()).policies)).toEqual(sorted(expected.policies));
    expect(sorted((await exported()).queues)).toEqual(sorted(expected.queues));
  });

  it("spread keys over all partitions", async () => {
    const { edge } = await world.edge({ leases: undefined });
    expect(edge.ready).toBe(true);
    await world.manage("POST", `definitions/${world.vhost}`, definitions({ vhost: world.vhost }));
    const channel = await world.channel();

    await Promise.all(
      Array.from({ length: 1_600 }, (_, n) => send(channel, outgoing(`user-${n}`, "bob"), "x")),
    );
    const queues = Array.from({ length: 16 }, (_, n) => channel.checkQueue(names.partition(n)));
    const counts = (await Promise.all(queues)).map(({ messageCount }) => messageCount);

    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(1_600);
    expect(Math.min(...counts)).toBeGreaterThan(50);
    expect(Math.max(...counts)).toBeLessThan(200);
  });

  it("need no more permissions than the README says", async () => {
    await world.manage("PUT", `users/${world.vhost}`, { password: "word", tags: "" });
    await world.manage("PUT", `permissions/${world.vhost}/${world.vhost}`, {
      configure: "^(chat21\\..*|amq\\.gen.*)$",
      write: "^(chat21\\..*|amq\\.gen.*|amq\\.topic|amq\\.default)$",
      read: "^(chat21\\..*|amq\\.gen.*|amq\\.topic|amq\\.rabbitmq\\.event)$",
    });
    const { edge, handler } = await world.edge({
      uri: world.uri.replace("guest:guest", `${world.vhost}:word`),
      apps: ["tilechat"],
    });
    await untilConsumed([edge], 4);
    const channel = await world.channel();

    channel.publish("chat21.in", "nonsense", Buffer.from("dead"));
    await send(channel, outgoing("ann", "bob"), "x");
    await handler.until(() => handler.taken.length === 1);
    await edge.deliver([
      { app: "tilechat", user: "bob", topic: "apps/tilechat/users/bob/x", payload: "{}", qos: 1 },
    ]);
    edge.invalidations.send({ app: "tilechat", conversation: "ann.bob" });
    const found = () => channel.get(names.dead, { noAck: true });

    expect(await vi.waitUntil(found, { timeout: 20_000 })).toMatchObject({ content: Buffer.from("dead") });
    await edge.close(5_000);
    await world.manage("DELETE", `users/${world.vhost}`);
  });

  it("stay out of the way of queues that somebody has made otherwise", async () => {
    const channel = await world.channel();
    await channel.assertQueue(names.partition(0), { durable: true });
    const { edge } = world.unstarted();

    await expect(edge.start(undefined as never)).rejects.toThrow(/PRECONDITION.FAILED.*chat21\.partition\.0/);
    expect(edge.ready).toBe(false);
  });
});
