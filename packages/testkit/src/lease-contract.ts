import { describe, expect, it } from "vitest";
import { describeLeaseRaces } from "./lease-contract/lease-races.ts";
import { type LeaseWorld, type OpenLeases, useLeases } from "./lease-contract/lease-world.ts";

export type { OpenedLeases, OpenLeases } from "./lease-contract/lease-world.ts";

/** Longer than any test. */
const longMs = 600_000;

function describeTaking(world: LeaseWorld): void {
  it("takes what is free, name by name and in order, also when a name stands twice", async () => {
    const at = world.fresh();
    await world.one.acquire("ann", [`${at}b`], longMs);

    const answers = await world.two.acquire("bob", [`${at}c`, `${at}b`, `${at}a`, `${at}c`], longMs);

    expect(answers).toEqual([true, false, true, true]);
    expect(await world.two.acquire("bob", [], longMs)).toEqual([]);
  });

  it("takes names and holders for what they are, whatever characters they have", async () => {
    const at = world.fresh();
    const names = ["$holder", "a.b/c", "ünïcödé 😀"].map((name) => at + name);

    expect(await world.one.acquire("$$NOW", names, longMs)).toEqual([true, true, true]);
    expect(await world.two.acquire("$holder", names, longMs)).toEqual([false, false, false]);
    expect((await world.two.list(at)).map(({ holder }) => holder)).toEqual(["$$NOW", "$$NOW", "$$NOW"]);
  });

  it("refuses what somebody else has, and leaves it as it was", async () => {
    const name = `${world.fresh()}x`;
    await world.one.acquire("ann", [name], 200_000);

    expect(await world.two.acquire("bob", [name], longMs)).toEqual([false]);

    const [lease] = await world.two.list(name);
    expect(lease).toMatchObject({ name, holder: "ann" });
    expect(lease?.remainingMs).toBeLessThanOrEqual(200_000 + world.toleranceMs);
  });

  it("takes eighty names in one call", async () => {
    const at = world.fresh();
    const names = Array.from({ length: 80 }, (_, index) => at + String(index).padStart(2, "0"));

    expect(await world.one.acquire("ann", names, longMs)).toEqual(names.map(() => true));
    expect((await world.two.list(at)).map(({ name }) => name)).toEqual(names);
  });
}

function describeTime(world: LeaseWorld): void {
  it("extends what the holder has, from now on", async () => {
    const name = `${world.fresh()}x`;
    await world.one.acquire("ann", [name], 1_000);
    await world.elapse(600);

    expect(await world.one.acquire("ann", [name], 30_000)).toEqual([true]);
    await world.elapse(1_000);

    // Without the extension it would have run out by now.
    expect(await world.two.acquire("bob", [name], 1_000)).toEqual([false]);
    expect(await world.two.list(name)).toMatchObject([{ holder: "ann" }]);
  });

  it("never shortens what the holder has", async () => {
    const name = `${world.fresh()}x`;
    await world.one.acquire("ann", [name], longMs);

    expect(await world.one.acquire("ann", [name], 100)).toEqual([true]);

    const [lease] = await world.two.list(name);
    expect(lease?.remainingMs).toBeGreaterThan(longMs / 2);
  });

  it("gives to others what ran out, and not before", async () => {
    const name = `${world.fresh()}x`;
    await world.one.acquire("ann", [name], 1_000);

    const early = await world.two.acquire("bob", [name], 1_000);
    await world.elapse(1_000 + world.toleranceMs + 1);
    const listed = await world.two.list(name);
    const late = await world.two.acquire("bob", [name], longMs);

    expect([early, listed, late]).toEqual([[false], [], [true]]);
    expect(await world.one.acquire("ann", [name], 1_000)).toEqual([false]);
  });

  it("gives back to its holder what ran out and nobody took", async () => {
    const name = `${world.fresh()}x`;
    await world.one.acquire("ann", [name], 100);
    await world.elapse(100 + world.toleranceMs + 1);

    expect(await world.one.acquire("ann", [name], longMs)).toEqual([true]);
    expect(await world.two.acquire("bob", [name], longMs)).toEqual([false]);
  });
}

function describeReleasing(world: LeaseWorld): void {
  it("frees at once what its holder releases, and nothing of others", async () => {
    const at = world.fresh();
    const [x, y, z] = [`${at}x`, `${at}y`, `${at}z`] as const;
    await world.one.acquire("ann", [x, y], longMs);
    await world.two.acquire("bob", [z], longMs);

    await world.one.release("ann", [x, z, `${at}none`]);
    await world.one.release("ann", [x, z]);
    await world.one.release("ann", []);

    expect(await world.two.acquire("bob", [x, y, z], longMs)).toEqual([true, false, true]);
  });

  it("lists what has not run out, by prefix and ascending, with the time that is left", async () => {
    const at = world.fresh();
    await world.one.acquire("ann", [`${at}p/2`, `${at}p/10`, `${at}q/1`], 100_000);
    await world.two.acquire("bob", [`${at}p/1`], longMs);
    await world.one.acquire("eve", [`${at}p/0`], 100);
    await world.elapse(100 + world.toleranceMs + 1);

    const leases = await world.two.list(`${at}p/`);

    expect(leases.map(({ name, holder }) => [name, holder])).toEqual([
      [`${at}p/1`, "bob"],
      [`${at}p/10`, "ann"],
      [`${at}p/2`, "ann"],
    ]);
    for (const { holder, remainingMs } of leases) {
      const ttlMs = holder === "ann" ? 100_000 : longMs;
      expect(remainingMs).toBeGreaterThan(ttlMs - 50_000);
      expect(remainingMs).toBeLessThanOrEqual(ttlMs + world.toleranceMs);
    }
    expect(await world.one.list(`${at}none`)).toEqual([]);
  });
}

/**
 * The contract of every `LeaseStore`, sentence by sentence of the port's documentation, and in random races of several
 * processes. `open` makes leases of which none is taken; it is called once.
 */
export function describeLeaseStore(name: string, open: OpenLeases): void {
  describe(name, () => {
    const world = useLeases(open);
    describeTaking(world);
    describeTime(world);
    describeReleasing(world);
    describeLeaseRaces(world);
  });
}
