import { parseClientTopic, toRoutingKey } from "@chat21/protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { clientRoutingPatterns, clientTopicOf, eventRoutingKey } from "../src/routing.ts";

/** As a topic exchange does it: `*` is one word, `#` at the end any number of them. */
function isMatched(pattern: string, key: string): boolean {
  const isOpen = pattern.endsWith(".#");
  const wanted = (isOpen ? pattern.slice(0, -2) : pattern).split(".");
  const given = key.split(".");
  return (
    (isOpen ? wanted.length <= given.length : wanted.length === given.length) &&
    wanted.every((word, index) => word === "*" || word === given[index])
  );
}

const words = fc.constantFrom(
  ...["apps", "tilechat", "outgoing", "users", "messages", "conversations", "presence", "commands"],
  ...["update", "archive", "clientadded", "ann", "group-1", "persist", "observer", "x", "delivered"],
);

describe("the routing patterns", () => {
  it("take exactly what parses as a client's topic, of words that are ids", () => {
    const patterns = clientRoutingPatterns("*");
    fc.assert(
      fc.property(fc.array(words, { minLength: 1, maxLength: 9 }), (path) => {
        const topic = path.join("/");
        const taken = patterns.filter((pattern) => isMatched(pattern, toRoutingKey(topic)));
        expect(taken.length).toBe(parseClientTopic(clientTopicOf(toRoutingKey(topic))) === null ? 0 : 1);
      }),
      {
        numRuns: 5_000,
        examples: [
          [["apps", "tilechat", "outgoing", "users", "ann", "messages", "x", "outgoing"]],
          [["apps", "tilechat", "users", "ann", "messages", "x", "outgoing"]],
          [["apps", "tilechat", "outgoing", "users", "ann", "commands", "x"]],
          [["apps", "tilechat", "users", "ann", "messages", "x", "x", "update"]],
          [["apps", "tilechat", "users", "ann", "conversations", "x", "update"]],
          [["apps", "tilechat", "users", "ann", "conversations", "x", "archive"]],
          [["apps", "tilechat", "users", "ann", "presence", "x"]],
          [["apps", "tilechat", "users", "ann", "presence", "x", "update", "x"]],
        ],
      },
    );
  });

  it("give a client id its dots back", () => {
    const topic = "apps/tilechat/users/ann/presence/web.1.2";

    expect(clientTopicOf(toRoutingKey(topic))).toBe(topic);
    expect(parseClientTopic(clientTopicOf(toRoutingKey(topic)))).toMatchObject({ clientId: "web.1.2" });
  });

  it("are for one app where one is named", () => {
    const [send] = clientRoutingPatterns("tilechat");

    expect(send).toBe("apps.tilechat.outgoing.users.*.messages.*.outgoing");
    expect(clientRoutingPatterns("tilechat")).toHaveLength(8);
  });

  it("name an event of a backend by app and kind", () => {
    expect(eventRoutingKey("tilechat", "message-sent")).toBe("apps.tilechat.message-sent");
  });
});
