import { groupSchema, groupSummarySchema, validate } from "@chat21/protocol";
import { describe, expect } from "vitest";
import { test } from "./api.fixture.ts";
import { type Api, app } from "./start-api.ts";

const path = `/api/v1/${app}/groups`;

async function create(api: Api, owner: string, id: string, members: readonly string[] = []): Promise<void> {
  const { status } = await api.post(path, api.token(owner), { id, name: id, members });
  expect(status).toBe(201);
}

const idsOf = (answer: { json: { groups: { uid: string }[] } }) => answer.json.groups.map(({ uid }) => uid);

test("a group is created, renamed, filled, emptied and read, each answer in the form of v1", async ({
  api,
}) => {
  const alice = api.token("alice");
  const created = await api.post(path, alice, {
    name: "Team",
    members: ["bob"],
    attributes: { color: "red" },
  });
  const group = `${path}/${created.json.uid}`;

  const patched = await api.call("PATCH", group, { token: alice, body: { name: "Crew" } });
  const added = await api.put(`${group}/members/carol`, alice);
  const again = await api.put(`${group}/members/carol`, alice);
  const replaced = await api.put(`${group}/members`, alice, { members: ["alice", "dave"] });
  const same = await api.put(`${group}/members`, alice, { members: ["dave", "alice"] });
  const left = await api.delete(`${group}/members/dave`, api.token("dave"));
  const read = await api.get(group, alice);

  expect([created, patched, added, again, replaced, same, left].map(({ status }) => status)).toEqual([
    201, 200, 204, 204, 204, 204, 204,
  ]);
  expect(validate(groupSchema, read.json)).toMatchObject({
    name: "Crew",
    owner: "alice",
    members: { alice: 1 },
    attributes: { color: "red" },
  });
});

test("refusals are problem documents with the code of what is wrong", async ({ api }) => {
  await create(api, "alice", "group-1", ["bob"]);
  const bob = api.token("bob");

  const answers = [
    await api.get(`${path}/group-none`, bob),
    await api.get(`${path}/group-1`, api.token("mallory")),
    await api.call("PATCH", `${path}/group-1`, { token: bob, body: { name: "Mine" } }),
    await api.put(`${path}/group-1/members/carol`, bob),
    await api.post(path, bob, { id: "group-1", name: "Other" }),
    await api.post(path, bob, { name: "T", owner: "alice" }),
    await api.post(path, bob, { name: "T", member: ["alice"] }),
  ];

  expect(answers.map(({ status, json }) => [status, json.code])).toEqual([
    [404, "not_found"],
    [403, "not_member"],
    [403, "forbidden"],
    [403, "forbidden"],
    [409, "conflict"],
    [403, "forbidden"],
    [400, "bad_request"],
  ]);
  for (const { headers } of answers) expect(headers["content-type"]).toContain("application/problem+json");
});

describe("the list of groups", () => {
  test("has those that the caller is in now, page by page", async ({ api }) => {
    await create(api, "alice", "group-2");
    await create(api, "bob", "group-1", ["alice"]);
    await create(api, "bob", "group-3");
    await create(api, "bob", "group-4", ["alice"]);
    await api.delete(`${path}/group-4/members/alice`, api.token("alice"));

    const mine = await api.get(path, api.token("alice"));
    const first = await api.get(`${path}?limit=1`, api.token("alice"));
    const second = await api.get(`${path}?limit=1&after=${first.json.next}`, api.token("alice"));

    expect([idsOf(mine), mine.json.next]).toEqual([["group-1", "group-2"], null]);
    expect([idsOf(first), idsOf(second)]).toEqual([["group-1"], ["group-2"]]);
    expect(validate(groupSummarySchema, mine.json.groups[0])).toMatchObject({ owner: "bob", memberCount: 2 });
    expect(mine.json.groups[0]).not.toHaveProperty("members");
  });

  test("is for admins of the whole app, or of one user; for nobody else of another user", async ({ api }) => {
    await create(api, "alice", "group-2");
    await create(api, "bob", "group-1");

    expect(idsOf(await api.get(path, api.admin()))).toEqual(["group-1", "group-2"]);
    expect(idsOf(await api.get(`${path}?user=bob`, api.admin()))).toEqual(["group-1"]);
    expect((await api.get(`${path}?user=bob`, api.token("alice"))).json.code).toBe("forbidden");
  });

  test("goes on behind a page that is full of bytes", async ({ api }) => {
    const attributes = { text: "x".repeat(60_000) };
    for (let i = 100; i < 180; i += 1) {
      const { status } = await api.post(path, api.token("alice"), {
        id: `group-${i}`,
        name: "G",
        attributes,
      });
      expect(status).toBe(201);
    }

    const found: string[] = [];
    for (let after: string | null = ""; after !== null; ) {
      const page = await api.get(`${path}?after=${after}`, api.token("alice"));
      found.push(...idsOf(page));
      after = page.json.next;
    }

    expect(found).toHaveLength(80);
    expect(new Set(found).size).toBe(80);
  });
});
