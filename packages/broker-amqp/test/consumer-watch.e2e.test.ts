import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { names } from "../src/index.ts";
import { RabbitWorld } from "./rabbit-world.ts";

let world: RabbitWorld;
beforeAll(async () => {
  world = await RabbitWorld.open();
});
afterAll(() => world.close());

it("Who consumes a partition of ours is told of, before it can stand still", async () => {
  const { edge, log, counted } = await world.edge({ consumerLookEveryMs: 200 });
  await vi.waitUntil(() => edge.partitions.length === 4, { timeout: 20_000 });
  const stranger = await world.channel();
  const told = () => log.filter(({ message }) => message.includes("somebody else consumes our partitions"));

  await stranger.consume(names.partition(2), () => {});
  await vi.waitUntil(() => told().length > 0, { timeout: 20_000 });

  expect(told()[0]).toMatchObject({ level: "error", fields: { partitions: [2] } });
  expect(counted).toContain("foreign_consumers");
});
