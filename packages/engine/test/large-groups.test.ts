import { limits } from "@chat21/protocol";
import { describe, expect, it } from "vitest";
import { admin, type Person, World } from "./world.ts";

const size = 300;
const crowd = Array.from({ length: size - 2 }, (_, index) => `u${index}`);
const membersIn = (person: Person) =>
  person.bodies("group-updated").map(({ members }) => Object.keys(members).length);

async function startLargeGroup() {
  const world = await World.start();
  const people = await world.people("ann", "u0");
  await world.createGroup("group-1", "ann", "bob", ...crowd);
  for (const person of people) person.forget();
  const add = (user: string) => world.engine.groups.addMember(admin, "group-1", user);
  return { world, people, add };
}

describe("A group of more than 200 members", () => {
  it("tells the first change at once, and those that follow together, as the group is then", async () => {
    const { world, people, add } = await startLargeGroup();
    const [ann] = people;

    for (let n = 0; n < 40; n++) await add(`new${n}`);
    await world.rest();
    expect(membersIn(ann)).toHaveLength(1);

    await world.pass(size * limits.groupNoticeMemberMs + 200);
    expect(membersIn(ann)).toHaveLength(2);
    expect(membersIn(ann)[1]).toBe(size + 40);
    expect(ann.bodies("group-updated")[1]?.["notification"].messagelabel.parameters.member_id).toBe("new39");
  });

  it("tells every change by its own event all the same, which names the one member that it is about", async () => {
    const { people, add } = await startLargeGroup();
    const [ann] = people;

    for (let n = 0; n < 5; n++) await add(`new${n}`);

    expect(ann.bodies("event").map(({ data }) => data)).toEqual(
      [0, 1, 2, 3, 4].map((n) => ({ member_id: `new${n}` })),
    );
  });

  it("tells who leaves at once, and nobody twice", async () => {
    const { world, people, add } = await startLargeGroup();
    const [ann, leaver] = people;
    await add("new");
    for (const person of people) person.forget();

    await world.engine.groups.removeMember(admin, "group-1", "u0");
    await world.rest();
    expect(membersIn(leaver)).toEqual([size]);
    expect(membersIn(ann)).toEqual([]);

    await world.pass(2_000);
    expect(membersIn(leaver)).toHaveLength(1);
    expect(membersIn(ann)).toEqual([size]);
  });

  it("tells a change after a pause at once", async () => {
    const { world, people, add } = await startLargeGroup();
    const [ann] = people;
    await add("new");
    await world.pass(2_000);
    ann.forget();

    await add("later");
    await world.rest();

    expect(membersIn(ann)).toEqual([size + 2]);
  });

  it("tells what waits when the server stops", async () => {
    const { world, people, add } = await startLargeGroup();
    const [ann] = people;
    await add("new");
    await add("newer");

    await world.engine.drain();

    expect(membersIn(ann)).toEqual([size + 1, size + 2]);
  });
});
