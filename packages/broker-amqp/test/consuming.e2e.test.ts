import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { outgoing, RabbitWorld, send, untilConsumed } from "./rabbit-world.ts";

describe.each(["classic", "quorum"] as const)("an edge that consumes %s queues", (queueType) => {
  let world: RabbitWorld;

  beforeEach(async () => {
    world = await RabbitWorld.open();
  });
  afterEach(() => world.close());

  it("hands over what clients publish, in the order of each key", async () => {
    const { edge, handler } = await world.edge({ queueType });
    await untilConsumed([edge], 4);
    const channel = await world.channel();
    const users = ["ann", "bob", "eve", "joe"];

    const sent = Array.from({ length: 200 }, (_, n) =>
      send(channel, outgoing(users[n % 4] as string, "zoe"), String(n)),
    );
    await Promise.all(sent);
    await handler.until(() => handler.taken.length === 200);

    for (const [index, user] of users.entries()) {
      const texts = handler.taken
        .filter(({ session }) => session.user === user)
        .map(({ text }) => Number(text));
      expect(texts).toEqual(Array.from({ length: 50 }, (_, n) => n * 4 + index));
    }
  });
});
