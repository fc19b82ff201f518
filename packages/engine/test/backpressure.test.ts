import { describe, expect, it } from "vitest";
import { World } from "./world.ts";

/** A world whose broker has taken nothing yet of what was delivered, with `waiting` messages of two copies each. */
async function busyWorld(waiting: number) {
  const world = await World.start();
  const [ann] = await world.people("ann", "bob");
  const taken = Promise.withResolvers<void>();
  world.edge.taking = () => taken.promise;
  let commits = 0;
  world.atStore = (point) => {
    if (point === "events.commit:before") commits += 1;
  };
  const stored = () => world.log("ann.bob").length;
  for (let n = 0; n < waiting; n++) void ann.send("bob", { text: `m${n}` });
  await world.rest();
  expect(stored()).toBe(waiting);
  commits = 0;
  return { world, ann, stored, takeAll: taken.resolve, commits: () => commits };
}

describe("A broker that is behind with deliveries", () => {
  it("lets messages gather, and they share a commit once it has caught up", async () => {
    const { world, ann, stored, takeAll, commits } = await busyWorld(40);

    void ann.send("bob", { text: "next" });
    await world.rest();
    void ann.send("bob", { text: "last" });
    await world.rest();
    expect(stored()).toBe(40);
    takeAll();
    await world.rest();

    expect(stored()).toBe(42);
    expect(commits()).toBe(1);
  });

  it("holds nobody up for longer than 20 ms", async () => {
    const { world, ann, stored } = await busyWorld(40);

    void ann.send("bob", { text: "next" });
    await world.rest();
    await world.clock.advance(19);
    expect(stored()).toBe(40);
    await world.clock.advance(1);
    await world.rest();

    expect(stored()).toBe(41);
  });

  it("holds nobody up for a few deliveries", async () => {
    const { world, ann, stored } = await busyWorld(30);

    void ann.send("bob", { text: "next" });
    await world.rest();

    expect(stored()).toBe(31);
  });
});
