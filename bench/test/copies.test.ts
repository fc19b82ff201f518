import { parseServerTopic, topics, toRoutingKey } from "@chat21/protocol";
import { describe, expect, it } from "vitest";
import { groupName, memberName } from "../src/load/group-name.ts";
import { copyKeys } from "../src/relay/copies.ts";

describe("the copies of a relay", () => {
  it("go to sender and recipient, each under the other's name", () => {
    expect(copyKeys(toRoutingKey(topics.outgoing("tilechat", "ann", "bob")))).toEqual([
      toRoutingKey(topics.messageAdded("tilechat", "ann", "bob")),
      toRoutingKey(topics.messageAdded("tilechat", "bob", "ann")),
    ]);
  });

  it("go to every member of a group under the group's name", () => {
    const group = groupName("run", 3);
    const keys = copyKeys(toRoutingKey(topics.outgoing("tilechat", "ann", group)));

    expect(keys).toEqual(
      [0, 1, 2].map((index) =>
        toRoutingKey(topics.messageAdded("tilechat", memberName(group, index), group)),
      ),
    );
    expect(parseServerTopic((keys[0] ?? "").replaceAll(".", "/"))).toMatchObject({ conversWith: group });
  });

  it.each(["apps.tilechat.users.ann.presence.d1", "other.tilechat.outgoing.users.ann.messages.bob.outgoing"])(
    "are not made of %s",
    (key) => {
      expect(copyKeys(key)).toEqual([]);
    },
  );
});
