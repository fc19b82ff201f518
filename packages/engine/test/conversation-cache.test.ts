import { describe, expect, it } from "vitest";
import { admin, World } from "./world.ts";

/** A world of groups with this many members each, with room for some 10 KB: a member takes about 400 bytes. */
async function groupsOf(members: number, ...groups: readonly string[]): Promise<[World, string[]]> {
  const world = await World.start({ cachedConversationBytes: 10_000 });
  const users = Array.from({ length: members }, (_, index) => `user-${index}`);
  for (const group of groups) await world.createGroup(group, "ann", ...users);
  const loads: string[] = [];
  world.atStore = (point) => {
    if (point.startsWith("conversations.load")) loads.push(point);
  };
  return [world, loads];
}

describe("Conversations that are held in memory", () => {
  it("are bounded by their size, not only by their number: the oldest one goes", async () => {
    const [world, loads] = await groupsOf(8, "group-1", "group-2", "group-3");

    for (const group of ["group-3", "group-2"]) await world.send("ann", group, { text: "held" });
    expect(loads).toHaveLength(0);
    await world.send("ann", "group-1", { text: "read again" });
    expect(loads).toHaveLength(1);
    await world.send("ann", "group-1", { text: "held" });
    expect(loads).toHaveLength(1);
    await world.send("ann", "group-2", { text: "read again" });
    expect(loads).toHaveLength(2);
  });

  it("are weighed again when they have grown", async () => {
    const [world, loads] = await groupsOf(1, "group-1", "group-2");
    await world.send("ann", "group-1", { text: "held" });

    const more = Array.from({ length: 25 }, (_, index) => `more-${index}`);
    await world.engine.groups.setMembers(admin, "group-2", ["ann", ...more]);
    await world.send("ann", "group-2", { text: "held" });
    loads.length = 0;
    await world.send("ann", "group-1", { text: "read again" });

    expect(loads).toHaveLength(1);
  });

  it("are all written to, also when those of one batch are larger than the room", async () => {
    const groups = Array.from({ length: 40 }, (_, index) => `group-${index}`);
    const [world] = await groupsOf(9, ...groups);

    await Promise.all(groups.map((group) => world.send("ann", group, { text: "all at once" })));

    for (const group of groups) expect((await world.textsOf("ann", group)).at(-1)).toBe("all at once");
  });
});
