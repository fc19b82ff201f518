import { topics } from "@chat21/protocol";
import type { FakeReply } from "@chat21/testkit/fake-server";
import { describe, expect, test } from "vitest";
import { openChat, openServer, Recorder } from "./support/world.ts";

const document = {
  _id: "x",
  uid: "group-1",
  name: "The group",
  appId: "tilechat",
  owner: "alice",
  members: { alice: 1, bob: 1, "group-1": 1 },
  createdOn: 1,
  updatedOn: 2,
};

describe("groups", () => {
  test("are created over REST, with the names of the existing wire", async () => {
    const server = await openServer();
    server.respond = ({ method, path, body }) =>
      method === "POST" && path === "/tilechat/groups"
        ? {
            status: 201,
            body: {
              success: true,
              group: { ...document, name: (body as { group_name: string }).group_name },
            },
          }
        : undefined;
    const chat = await openChat(server);
    const recorder = new Recorder(chat);

    const group = await chat.groups.create({
      id: "group-1",
      name: "Team",
      members: ["bob"],
      attributes: { a: 1 },
    });

    expect(group).toEqual({
      id: "group-1",
      name: "Team",
      owner: "alice",
      members: ["alice", "bob"],
      createdOn: 1,
      updatedOn: 2,
      attributes: {},
    });
    expect(server.requests.at(-1)?.body).toEqual({
      group_id: "group-1",
      group_name: "Team",
      group_members: { bob: 1 },
      attributes: { a: 1 },
    });
    expect(recorder.all("group")).toEqual([{ group }]);
    expect(chat.groups.known("group-1")).toBe(group);
  });

  test("give their conversation its title, and tell every change once", async () => {
    const server = await openServer();
    server.log.join("group-1", ["alice", "bob"]);
    server.send("bob", "group-1", { text: "hi" });
    const chat = await openChat(server);
    const recorder = new Recorder(chat);

    const topic = topics.groupUpdated("tilechat", "alice", "group-1");
    server.deliver(topic, { ...document, notification: {} });
    server.deliver(topic, { ...document, notification: {} });
    server.deliver(topic, { ...document, name: "Renamed", updatedOn: 3 });
    await recorder.until(() => chat.conversations.get("group-1")?.title === "Renamed");

    expect(recorder.all("group").map(({ group }) => group.name)).toEqual(["The group", "Renamed"]);
  });

  test.each([
    ["addMember", ["bob"], "POST", "/members", { member_id: "bob" }],
    ["setMembers", [["bob"]], "PUT", "/members", { members: { bob: 1 } }],
    ["removeMember", ["bob"], "DELETE", "/members/bob", undefined],
    ["leave", [], "DELETE", "/members/alice", undefined],
    ["rename", ["New"], "PUT", "", { group_name: "New" }],
    ["setAttributes", [{ a: 1 }], "PUT", "/attributes", { attributes: { a: 1 } }],
  ] as const)("%s asks for %j", async (name, args, method, path, body) => {
    const server = await openServer();
    server.respond = ({ path: asked }) =>
      asked.includes("/groups/") ? { status: 200, body: { success: true } } : undefined;
    const chat = await openChat(server);

    await (chat.groups[name] as (...given: unknown[]) => Promise<void>)("group-1", ...args);

    const request = server.requests.at(-1);
    expect([request?.method, request?.path]).toEqual([method, `/tilechat/groups/group-1${path}`]);
    expect(request?.body).toEqual(body);
  });

  test.each<[string, FakeReply, string]>([
    [
      "a group that is not there",
      { status: 405, body: { success: false, err: "Not found", http_status: 404 } },
      "not_found",
    ],
    [
      "somebody who is in",
      { status: 405, body: { success: false, err: { success: false, err: "Already a member" } } },
      "already_member",
    ],
    ["a stranger", { status: 401, body: { success: false, err: "Permission denied" } }, "forbidden"],
    [
      "somebody who is not the owner",
      { status: 405, body: { err: { message: "Unauthorized" } } },
      "forbidden",
    ],
    [
      "an id that is taken",
      { status: 405, body: { success: false, err: "Group already exists" } },
      "conflict",
    ],
    ["a problem with a code", { status: 403, body: { code: "not_member", detail: "no" } }, "not_member"],
    [
      "a server in trouble",
      { status: 503, body: { code: "store_unavailable", retry_after_ms: 5 } },
      "store_unavailable",
    ],
    ["anything else", { status: 418, body: "short and stout" }, "bad_request"],
  ])("reject with a typed code: %s", async (_, reply, code) => {
    const server = await openServer();
    const chat = await openChat(server);
    server.respond = ({ path }) => (path.includes("/groups/") ? reply : undefined);

    await expect(chat.groups.addMember("group-1", "bob")).rejects.toMatchObject({ name: "ChatError", code });
  });

  test("that have the wanted members already are no failure", async () => {
    const server = await openServer();
    const chat = await openChat(server);
    const message = "Same members in group, skipping setGroupMembers()";
    server.respond = ({ method }) =>
      method === "PUT" ? { status: 405, body: { err: { message } } } : undefined;

    await expect(chat.groups.setMembers("group-1", ["bob"])).resolves.toBeUndefined();
  });
});
