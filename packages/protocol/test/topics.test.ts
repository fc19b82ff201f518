import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { limits, parseClientTopic, parseServerTopic, topics } from "../src/index.ts";
import { anyGroupId, anyId } from "./arbitraries.ts";

const support = "support-group-65c5f7a1b2c3d4e5f6a7b8c9-0123456789abcdef0123456789abcdef";
const longest = "g".repeat(128);

describe("The topics of the existing wire", () => {
  test.each([
    [topics.outgoing("tilechat", "A", "B"), "apps/tilechat/outgoing/users/A/messages/B/outgoing"],
    [topics.formerOutgoing("tilechat", "A", "B"), "apps/tilechat/users/A/messages/B/outgoing"],
    [topics.receipt("tilechat", "B", "A", "m-1"), "apps/tilechat/users/B/messages/A/m-1/update"],
    [topics.conversationUpdate("tilechat", "A", "B"), "apps/tilechat/users/A/conversations/B/update"],
    [topics.conversationArchive("tilechat", "A", "B"), "apps/tilechat/users/A/conversations/B/archive"],
    [topics.presence("tilechat", "A", "c-1"), "apps/tilechat/users/A/presence/c-1"],
    [topics.inbox("tilechat", "A"), "apps/tilechat/users/A/#"],
    [topics.messageAdded("tilechat", "B", "A"), "apps/tilechat/users/B/messages/A/clientadded"],
    [
      topics.messageUpdated("tilechat", "A", "B", "m-1"),
      "apps/tilechat/users/A/messages/B/m-1/clientupdated",
    ],
    [topics.conversationUpdated("tilechat", "A", "B"), "apps/tilechat/users/A/conversations/B/clientupdated"],
    [topics.conversationDeleted("tilechat", "A", "B"), "apps/tilechat/users/A/conversations/B/clientdeleted"],
    [
      topics.archivedConversationAdded("tilechat", "A", "B"),
      "apps/tilechat/users/A/archived_conversations/B/clientadded",
    ],
    [
      topics.archivedConversationDeleted("tilechat", "A", "B"),
      "apps/tilechat/users/A/archived_conversations/B/clientdeleted",
    ],
    [topics.groupUpdated("tilechat", "A", support), `apps/tilechat/users/A/groups/${support}/clientupdated`],
  ])("are exactly %s", (built, expected) => {
    expect(built).toBe(expected);
  });
});

describe("The topics that this protocol adds", () => {
  test.each([
    [topics.event("tilechat", "A", "group-1"), "apps/tilechat/users/A/conversations/group-1/event"],
    [topics.answer("tilechat", "A", "d-1"), "apps/tilechat/users/A/devices/d-1/answer"],
    [topics.ephemeral("tilechat", "A"), "apps/tilechat/users/A/ephemeral"],
    [topics.command("tilechat", "A", "d-1"), "apps/tilechat/outgoing/users/A/commands/d-1"],
  ])("are exactly %s, where existing tokens reach", (built, expected) => {
    expect(built).toBe(expected);
    expect(built).toMatch(/^apps\/tilechat\/(users\/A|outgoing\/users\/A)\//);
  });
});

describe("Every topic that a client publishes", () => {
  it("is parsed back to what it was built of, for every id that is allowed", () => {
    fc.assert(
      fc.property(anyId, anyId, anyGroupId, anyId, (app, user, conversWith, id) => {
        const of = { app, user };
        expect(parseClientTopic(topics.outgoing(app, user, conversWith))).toEqual({
          kind: "send",
          ...of,
          recipient: conversWith,
        });
        expect(parseClientTopic(topics.formerOutgoing(app, user, conversWith))).toEqual(
          parseClientTopic(topics.outgoing(app, user, conversWith)),
        );
        expect(parseClientTopic(topics.receipt(app, user, conversWith, id))).toEqual({
          kind: "receipt",
          ...of,
          conversWith,
          messageId: id,
        });
        expect(parseClientTopic(topics.conversationUpdate(app, user, conversWith))).toEqual({
          kind: "conversation-update",
          ...of,
          conversWith,
        });
        expect(parseClientTopic(topics.conversationArchive(app, user, conversWith))).toEqual({
          kind: "conversation-archive",
          ...of,
          conversWith,
        });
        expect(parseClientTopic(topics.presence(app, user, id))).toEqual({
          kind: "presence",
          ...of,
          clientId: id,
        });
        expect(parseClientTopic(topics.command(app, user, id))).toEqual({
          kind: "command",
          ...of,
          device: id,
        });
      }),
    );
  });

  it.each([support, longest])("may name a group with a long id: %s", (group) => {
    expect(parseClientTopic(topics.outgoing("tilechat", "A", group))).toMatchObject({ recipient: group });
    expect(parseClientTopic(topics.receipt("tilechat", "A", group, "m"))).toMatchObject({
      conversWith: group,
    });
  });

  it("may name nobody whose id is longer", () => {
    expect(parseClientTopic(topics.outgoing("tilechat", "A", `${longest}g`))).toBeNull();
    expect(parseClientTopic(topics.outgoing("tilechat", "u".repeat(129), "B"))).toBeNull();
    expect(parseClientTopic(topics.receipt("tilechat", "A", "B", "m".repeat(65)))).toBeNull();
    expect(parseClientTopic(topics.presence("tilechat", "A", "c".repeat(257)))).toBeNull();
  });
});

describe("Every topic that a client receives", () => {
  it("is parsed back to what it was built of, for every id that is allowed", () => {
    fc.assert(
      fc.property(anyId, anyId, anyGroupId, anyId, (app, user, conversWith, id) => {
        const parsed = (build: (app: string, user: string, conversWith: string) => string) =>
          parseServerTopic(build(app, user, conversWith));
        expect(parsed(topics.messageAdded)).toEqual({ kind: "message-added", conversWith });
        expect(parsed(topics.conversationUpdated)).toEqual({ kind: "conversation-updated", conversWith });
        expect(parsed(topics.conversationDeleted)).toEqual({ kind: "conversation-deleted", conversWith });
        expect(parsed(topics.archivedConversationAdded)).toEqual({
          kind: "archived-conversation-added",
          conversWith,
        });
        expect(parsed(topics.archivedConversationDeleted)).toEqual({
          kind: "archived-conversation-deleted",
          conversWith,
        });
        expect(parsed(topics.groupUpdated)).toEqual({ kind: "group-updated", conversWith });
        expect(parsed(topics.event)).toEqual({ kind: "event", conversWith });
        expect(parseServerTopic(topics.messageUpdated(app, user, conversWith, id))).toEqual({
          kind: "message-updated",
          conversWith,
          messageId: id,
        });
        expect(parseServerTopic(topics.answer(app, user, id))).toEqual({ kind: "answer", device: id });
        expect(parseServerTopic(topics.ephemeral(app, user))).toEqual({ kind: "ephemeral" });
      }),
    );
  });

  it("is never one that a client may publish", () => {
    fc.assert(
      fc.property(anyId, anyId, anyGroupId, anyId, (app, user, conversWith, id) => {
        const received = [
          topics.messageAdded(app, user, conversWith),
          topics.messageUpdated(app, user, conversWith, id),
          topics.conversationUpdated(app, user, conversWith),
          topics.conversationDeleted(app, user, conversWith),
          topics.archivedConversationAdded(app, user, conversWith),
          topics.archivedConversationDeleted(app, user, conversWith),
          topics.groupUpdated(app, user, conversWith),
          topics.event(app, user, conversWith),
          topics.answer(app, user, id),
          topics.ephemeral(app, user),
        ];
        for (const topic of received) expect(parseClientTopic(topic), topic).toBeNull();
      }),
    );
  });

  it("has the counterpart on its sixth level, where existing clients look for it", () => {
    fc.assert(
      fc.property(anyId, anyId, anyGroupId, (app, user, conversWith) => {
        for (const build of [
          topics.messageAdded,
          topics.conversationDeleted,
          topics.groupUpdated,
          topics.event,
        ]) {
          expect(build(app, user, conversWith).split("/")[5]).toBe(conversWith);
        }
      }),
    );
  });

  it.each([
    "apps/tilechat/users/A/presence/c-1",
    "apps/tilechat/users/A/messages/B/update",
    "apps/tilechat/users/A/messages/B/m/update",
    "apps/tilechat/users/A/messages/B/clientadded/more",
    "apps/tilechat/users/A/toString/B/clientadded",
    "apps/tilechat/outgoing/users/A/messages/B/clientadded",
    "apps/tilechat/users/A/ephemeral/more",
    "",
  ])("is nothing else: %j is ignored", (topic) => {
    expect(parseServerTopic(topic)).toBeNull();
  });
});

describe("A topic that a client must not publish", () => {
  it.each([
    ["an old way to send, for another message", "apps/tilechat/users/A/messages/B/m/outgoing"],
    ["a group update that ends like a conversation's", "apps/tilechat/users/A/x/groups/update"],
    ["a receipt for a conversation", "apps/tilechat/users/A/conversations/B/m/update"],
    ["an archive of messages", "apps/tilechat/users/A/messages/B/archive"],
    ["an internal key", "apps/observer/tilechat/groups/update"],
    ["an internal delivery", "apps/observer/tilechat/users/A/messages/B/delivered"],
    ["a topic with one level too many", "apps/tilechat/outgoing/users/A/messages/B/outgoing/x"],
    ["a receipt with one level too many", "apps/tilechat/users/A/messages/B/m/update/x"],
    ["a topic with one level too few", "apps/tilechat/outgoing/users/A/messages/B"],
    ["a topic with a leading slash", "/apps/tilechat/outgoing/users/A/messages/B/outgoing"],
    ["a topic with a trailing slash", "apps/tilechat/users/A/conversations/c/update/"],
    ["an empty app", "apps//outgoing/users/A/messages/B/outgoing"],
    ["an empty user", "apps/tilechat/outgoing/users//messages/B/outgoing"],
    ["an empty recipient", "apps/tilechat/outgoing/users/A/messages//outgoing"],
    ["an empty message id", "apps/tilechat/users/A/messages/B//update"],
    ["a wildcard for a recipient", "apps/tilechat/outgoing/users/A/messages/+/outgoing"],
    ["a wildcard for the rest", "apps/tilechat/outgoing/users/A/messages/#"],
    ["a recipient with a dot", "apps/tilechat/outgoing/users/A/messages/x.y/outgoing"],
    ["a recipient that begins with $", "apps/tilechat/outgoing/users/A/messages/$B/outgoing"],
    ["the broker's own topics", "$SYS/broker/clients"],
    ["nothing", ""],
    ["only slashes", "///////"],
  ])("is %s: %s", (_what, topic) => {
    expect(parseClientTopic(topic)).toBeNull();
  });
});

test("Every topic built of the longest ids is short enough for MQTT, which counts 65,535 bytes", () => {
  const [app, user] = ["p".repeat(limits.idBytes), "u".repeat(limits.idBytes)];

  expect(topics.messageUpdated(app, user, longest, "m".repeat(64)).length).toBeLessThan(65_535);
});
