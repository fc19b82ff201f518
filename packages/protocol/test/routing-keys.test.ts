import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { fitsRoutingKeys, fromRoutingKey, limits, topics, toRoutingKey } from "../src/index.ts";
import { anyGroupId, anyId } from "./arbitraries.ts";

test("A routing key is the topic with dots, and back", () => {
  expect(toRoutingKey("apps/tilechat/users/A/messages/B/clientadded")).toBe(
    "apps.tilechat.users.A.messages.B.clientadded",
  );
  expect(fromRoutingKey("apps.tilechat.outgoing.users.A.messages.B.outgoing")).toBe(
    "apps/tilechat/outgoing/users/A/messages/B/outgoing",
  );
});

test("No topic of ours changes on the way to a routing key and back, for every id that is allowed", () => {
  fc.assert(
    fc.property(anyId, anyId, anyGroupId, anyId, (app, user, conversWith, id) => {
      const all = [
        topics.outgoing(app, user, conversWith),
        topics.messageAdded(app, user, conversWith),
        topics.messageUpdated(app, user, conversWith, id),
        topics.archivedConversationAdded(app, user, conversWith),
        topics.answer(app, user, id),
      ];
      for (const topic of all) {
        expect(fromRoutingKey(toRoutingKey(topic))).toBe(topic);
        expect(toRoutingKey(topic)).not.toMatch(/[/*#]/);
      }
    }),
  );
});

describe("Ids whose routing keys are too long for a broker", () => {
  /** Every topic that carries a message, its receipts or its list, with ids of the server's own making. */
  const longestOf = (app: string, user: string, conversWith: string): number =>
    Math.max(
      ...[
        topics.outgoing(app, user, conversWith),
        topics.messageAdded(app, user, conversWith),
        topics.messageUpdated(app, user, conversWith, "0".repeat(36)),
        topics.receipt(app, user, conversWith, "0".repeat(36)),
        topics.conversationUpdated(app, user, conversWith),
        topics.conversationDeleted(app, user, conversWith),
        topics.archivedConversationAdded(app, user, conversWith),
        topics.archivedConversationDeleted(app, user, conversWith),
        topics.groupUpdated(app, user, conversWith),
        topics.event(app, user, conversWith),
      ].map((topic) => toRoutingKey(topic).length),
    );

  it("are told before anything is accepted, exactly at 255 bytes", () => {
    fc.assert(
      fc.property(anyId, anyId, anyGroupId, (app, user, conversWith) => {
        expect(fitsRoutingKeys(app, user, conversWith)).toBe(
          longestOf(app, user, conversWith) <= limits.routingKeyBytes,
        );
      }),
    );
  });

  it("are not those of two users of the longest ids in the app that clients have built in", () => {
    expect(fitsRoutingKeys("tilechat", "u".repeat(64), "v".repeat(64))).toBe(true);
  });

  it("are not those of a user with a UUID in a group with the longest id", () => {
    expect(fitsRoutingKeys("tilechat", "u".repeat(36), "g".repeat(128))).toBe(true);
  });

  it("are those of the longest app, user and group together", () => {
    expect(fitsRoutingKeys("a".repeat(64), "u".repeat(64), "g".repeat(128))).toBe(false);
  });
});
