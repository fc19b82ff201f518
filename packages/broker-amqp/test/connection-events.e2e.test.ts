import mqtt from "mqtt";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { RabbitWorld } from "./rabbit-world.ts";

describe("clients that are gone", () => {
  let world: RabbitWorld;

  beforeAll(async () => {
    world = await RabbitWorld.open({ isOwn: true });
  });
  afterAll(() => world.close());

  async function connectAndVanish(clientId: string): Promise<void> {
    const { mqttUri } = world.rabbit;
    if (mqttUri === null) throw new Error("the broker has no MQTT");
    const client = await mqtt.connectAsync(mqttUri, { clientId, username: "guest", password: "guest" });
    await client.subscribeAsync("apps/tilechat/users/ann/#", { qos: 1 });
    client.stream.destroy();
    await client.endAsync(true);
  }

  it("are told to one process each where the broker tells, and an edge works where it does not", async () => {
    const without = await world.edge({ holder: "without" });
    expect(without.log.map(({ message }) => message).join()).toContain("has no rabbitmq_event_exchange");
    await without.edge.close(5_000);
    // The plugin's exchange is in the default virtual host, where the MQTT clients are.
    const { handler: one } = await world.edge({ uri: world.rabbit.uri, holder: "one" });
    const { handler: two } = await world.edge({ uri: world.rabbit.uri, holder: "two" });
    const stranger = await world.channel();

    await stranger.assertQueue("of-somebody-else");
    await stranger.deleteQueue("of-somebody-else");
    const clients = ["phone-1", "tablet_2", "c:3", "d@4"];
    for (const client of clients) await connectAndVanish(client);
    await vi.waitUntil(() => one.gone.length + two.gone.length >= clients.length, { timeout: 20_000 });

    expect([...one.gone, ...two.gone].sort()).toEqual([...clients].sort());
    expect(Math.min(one.gone.length, two.gone.length)).toBeGreaterThan(0);
  });
});
