import { describe, expect, test } from "vitest";
import type { TestReply } from "./support/test-server.ts";
import { actor } from "./support/test-server.ts";
import { openChat, openServer, Recorder } from "./support/world.ts";

describe("groups", () => {
  test("are created with their members, attributes and name", async () => {
    const server = await openServer();
    const chat = await openChat(server);
    const recorder = new Recorder(chat);

    const group = await chat.groups.create({
      id: "group-1",
      name: "Team",
      members: ["bob"],
      attributes: { a: 1 },
    });

    expect(group).toMatchObject({ id: "group-1", name: "Team", owner: "alice", attributes: { a: 1 } });
    expect(group.members.toSorted()).toEqual(["alice", "bob"]);
    await recorder.until(() => recorder.all("group").length > 0);
    expect(chat.groups.known("group-1")).toEqual(group);
    expect(await (await openChat(server, "bob")).groups.get("group-1")).toEqual(group);
  });

  test("give their conversation its title, and tell every change once", async () => {
    const server = await openServer();
    await server.createGroup("group-1", "bob", "alice");
    const chat = await openChat(server);
    const recorder = new Recorder(chat);
    server.edge.fateOf = ({ topic }) => (topic.includes("/groups/") ? "twice" : "deliver");

    await server.engine.groups.rename(actor("bob"), "group-1", "Renamed");
    await server.engine.groups.rename(actor("bob"), "group-1", "Once more");
    await recorder.until(() => chat.conversations.get("group-1")?.title === "Once more");
    await chat.send("group-1", { text: "behind it" });

    expect(recorder.all("group").map(({ group }) => group.name)).toEqual(["Renamed", "Once more"]);
  });

  test("keep the title that their log tells, when nobody has asked for the group itself", async () => {
    const server = await openServer();
    await server.createGroup("group-1", "bob", "alice");
    await server.engine.groups.rename(actor("bob"), "group-1", "Renamed");

    const chat = await openChat(server);

    expect(chat.conversations.get("group-1")?.title).toBe("Renamed");
  });

  test("take and lose members, and change their name and attributes", async () => {
    const server = await openServer();
    const chat = await openChat(server);
    const { id } = await chat.groups.create({ name: "Team", members: ["bob"] });
    const members = async () => (await chat.groups.get(id)).members.toSorted();

    await chat.groups.addMember(id, "carol");
    expect(await members()).toEqual(["alice", "bob", "carol"]);
    await chat.groups.setMembers(id, ["alice", "carol", "dave"]);
    await chat.groups.setMembers(id, ["alice", "carol", "dave"]);
    expect(await members()).toEqual(["alice", "carol", "dave"]);
    await chat.groups.removeMember(id, "carol");
    await chat.groups.rename(id, "New");
    await chat.groups.setAttributes(id, { b: 2 });
    expect(await chat.groups.get(id)).toMatchObject({ name: "New", attributes: { b: 2 } });
    await chat.groups.leave(id);

    await expect(chat.groups.get(id)).rejects.toMatchObject({ code: "forbidden" });
  });

  test.each<[string, TestReply, string]>([
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
    ["an answer of somebody else", { status: 404, body: "<h1>Not found</h1>" }, "connection_lost"],
  ])("reject with a typed code: %s", async (_, reply, code) => {
    const server = await openServer();
    const chat = await openChat(server);
    server.respond = ({ path }) => (path.includes("/groups/") ? reply : undefined);

    await expect(chat.groups.addMember("group-1", "bob")).rejects.toMatchObject({ name: "ChatError", code });
  });
});
