import { expect, it } from "vitest";
import { sampleRun } from "./samples.ts";
import type { OpenStore } from "./store-world.ts";

/** Opening, closing, and opening again. */
export function describeStoreLife(open: OpenStore): void {
  it("has an epoch of its own that survives being opened again", async () => {
    const first = await open();
    const second = await open();

    const again = await first.reopen();

    expect(first.store.epoch).not.toBe("");
    expect(second.store.epoch).not.toBe(first.store.epoch);
    expect(again.epoch).toBe(first.store.epoch);
    await first.cleanup();
    await second.cleanup();
  });

  it("finishes what was accepted before it closes, and closes once however often it is asked", async () => {
    const { store, reopen, cleanup } = await open();

    const accepted = [
      store.events.commit([sampleRun("app", "ann.bob")]),
      store.users.put({ app: "app", id: "ann", profile: "{}", createdAt: 1, updatedAt: 1 }),
    ];
    await Promise.all([store.close(), store.close()]);
    await store.close();

    expect((await Promise.allSettled(accepted)).map(({ status }) => status)).toEqual([
      "fulfilled",
      "fulfilled",
    ]);
    const again = await reopen();
    expect(
      await again.events.read({ app: "app", conversation: "ann.bob", limit: 10, from: "oldest" }),
    ).toEqual(sampleRun("app", "ann.bob").events);
    expect(await again.users.get("app", "ann")).toMatchObject({ id: "ann" });
    await cleanup();
  });
}
