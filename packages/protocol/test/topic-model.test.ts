import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isOwnFilter, parseClientTopic, topicMatches, topics } from "../src/index.ts";
import { anyGroupId, anyId, anyTopic, damaged, idAlphabet } from "./arbitraries.ts";

const runs = { numRuns: 100_000 };

/** The shapes of P1-P6 and of commands, read as a human reads them. */
const shapes: readonly (readonly [kind: string, shape: string])[] = Object.entries({
  send: "apps/{app}/outgoing/users/{user}/messages/{recipient}/outgoing",
  command: "apps/{app}/outgoing/users/{user}/commands/{device}",
  receipt: "apps/{app}/users/{user}/messages/{conversWith}/{messageId}/update",
  "conversation-update": "apps/{app}/users/{user}/conversations/{conversWith}/update",
  "conversation-archive": "apps/{app}/users/{user}/conversations/{conversWith}/archive",
  presence: "apps/{app}/users/{user}/presence/{clientId}",
}).concat([["send", "apps/{app}/users/{user}/messages/{recipient}/outgoing"]]);

function isAllowed(name: string, id: string): boolean {
  if (name === "clientId") return id !== "" && !id.includes("\0") && Buffer.byteLength(id) <= 256;
  const longest = name === "recipient" || name === "conversWith" ? 128 : 64;
  return (
    id !== "" &&
    id.length <= longest &&
    id[0] !== "$" &&
    id !== "__proto__" &&
    [...id].every((at) => idAlphabet.includes(at))
  );
}

/** The naive reading: try every shape, level by level. */
function modelOfParse(topic: string): object | null {
  for (const [kind, shape] of shapes) {
    const wanted = shape.split("/");
    const given = topic.split("/");
    if (wanted.length !== given.length) continue;
    const found: Record<string, string> = { kind };
    const fits = wanted.every((level, index) => {
      const text = given[index] ?? "";
      const name = /^\{(\w+)\}$/.exec(level)?.[1];
      if (name === undefined) return level === text;
      found[name] = text;
      return isAllowed(name, text);
    });
    if (fits) return found;
  }
  return null;
}

const goodTopic = fc
  .tuple(anyId, anyId, anyGroupId, anyId)
  .chain(([app, user, conversWith, id]) =>
    fc.constantFrom(
      topics.outgoing(app, user, conversWith),
      topics.formerOutgoing(app, user, conversWith),
      topics.command(app, user, id),
      topics.receipt(app, user, conversWith, id),
      topics.conversationUpdate(app, user, conversWith),
      topics.conversationArchive(app, user, conversWith),
      topics.presence(app, user, id),
    ),
  );

describe("parseClientTopic", () => {
  it("says what a naive reading of the seven shapes says, for 100,000 topics of every kind", () => {
    let accepted = 0;
    fc.assert(
      fc.property(fc.oneof(anyTopic, goodTopic, damaged(goodTopic)), (topic) => {
        const expected = modelOfParse(topic);
        if (expected !== null) accepted++;
        expect(parseClientTopic(topic)).toEqual(expected);
      }),
      runs,
    );
    expect(accepted).toBeGreaterThan(10_000);
  }, 60_000);
});

/** MQTT 3.1.1, 4.7, as it is written there. */
function modelOfMatch(filter: readonly string[], topic: readonly string[], first = true): boolean {
  const [wanted, ...filterRest] = filter;
  const [given, ...topicRest] = topic;
  if (first && given?.startsWith("$") && (wanted === "#" || wanted === "+")) return false;
  if (wanted === undefined) return given === undefined;
  if (wanted === "#") return true;
  if (given === undefined) return false;
  return (wanted === "+" || wanted === given) && modelOfMatch(filterRest, topicRest, false);
}

const plainLevel = fc.oneof(fc.constantFrom("a", "b", "apps", "users", "", "$SYS"), anyId);
const plainTopic = fc.array(plainLevel, { minLength: 1, maxLength: 8 });

/** A well-formed filter that has something to do with a topic. */
const topicAndFilter = plainTopic.chain((topic) =>
  fc.tuple(
    fc.constant(topic),
    fc
      .tuple(
        fc.array(fc.constantFrom("same", "+", "other"), { minLength: topic.length, maxLength: topic.length }),
        fc.nat(topic.length),
        fc.constantFrom("whole", "hash", "cut", "longer"),
      )
      .map(([ways, length, end]) => {
        const levels = topic.map((level, index) => {
          if (ways[index] === "+") return "+";
          return ways[index] === "same" ? level : `${level}x`;
        });
        if (end === "hash") return [...levels.slice(0, length), "#"];
        if (end === "cut") return levels.slice(0, Math.max(1, length));
        return end === "longer" ? [...levels, "a"] : levels;
      }),
  ),
);

describe("topicMatches", () => {
  it("says what the specification says, for 100,000 filters and topics", () => {
    let matched = 0;
    fc.assert(
      fc.property(topicAndFilter, ([topic, filter]) => {
        const expected = modelOfMatch(filter, topic);
        if (expected) matched++;
        expect(topicMatches(filter.join("/"), topic.join("/"))).toBe(expected);
      }),
      runs,
    );
    expect(matched).toBeGreaterThan(1_000);
  }, 60_000);

  it.each([
    ["sport/#", "sport", true],
    ["sport/#", "sport/tennis/player1", true],
    ["sport/#", "sports", false],
    ["#", "sport", true],
    ["+", "/finance", false],
    ["+/+", "/finance", true],
    ["/+", "/finance", true],
    ["sport/+", "sport", false],
    ["sport/+", "sport/", true],
    ["sport/+/player1", "sport/tennis/player1", true],
    ["sport/tennis/+", "sport/tennis/player1/ranking", false],
    ["#", "$SYS/monitor", false],
    ["+/monitor", "$SYS/monitor", false],
    ["$SYS/#", "$SYS/monitor", true],
  ])("knows the specification's examples: %s and %s", (filter, topic, expected) => {
    expect(topicMatches(filter, topic)).toBe(expected);
  });
});

/** The naive reading: four fixed levels, then a well-formed rest. */
function modelOfOwnFilter(app: string, user: string, filter: string): boolean {
  const [apps, givenApp, users, givenUser, ...rest] = filter.split("/");
  if (apps !== "apps" || givenApp !== app || users !== "users" || givenUser !== user) return false;
  if (rest.length === 0 || filter.length > 1_024) return false;
  return rest.every((level, index) => {
    if (level === "#") return index === rest.length - 1;
    return level === "+" || ![..."+#\0"].some((wildcard) => level.includes(wildcard));
  });
}

/** Two different users whose ids are near each other: a prefix, a suffix, one character more. */
const neighbours = fc
  .tuple(anyId, fc.constantFrom(...idAlphabet), fc.constantFrom("append", "prepend", "double", "case"))
  .map(([user, character, how]): readonly [string, string] => {
    const short = user.slice(0, 60);
    const other = {
      append: short + character,
      prepend: (character === "$" ? "x" : character) + short,
      double: short.slice(0, 30) + short.slice(0, 30),
      case: short.toUpperCase() === short ? `${short}x` : short.toUpperCase(),
    }[how];
    return other === short ? [short, `${short}x`] : [short, other];
  });

const filterLevel = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom("+", "#", "", "messages", "+x", "a#", "a\0b") },
  { weight: 1, arbitrary: anyId },
);

/** Filters that a user may try: around its own tree, around a neighbour's, and altogether elsewhere. */
const attempt = fc
  .tuple(neighbours, fc.array(filterLevel, { maxLength: 6 }))
  .chain(([[user, other], rest]) =>
    fc.tuple(
      fc.constant(user),
      fc.constant(other),
      fc.oneof(
        fc.constant(["apps", "tilechat", "users", user, ...rest].join("/")),
        fc.constant(["apps", "tilechat", "users", other, ...rest].join("/")),
        fc.constant(["apps", "tilechat", "users", "+", ...rest].join("/")),
        fc.constant(["apps", "tilechat", "outgoing", "users", user, ...rest].join("/")),
        fc.constant(`apps/tilechat/users/${user}#`),
        fc.constant(`apps/tilechat/users/${user}`),
        damaged(fc.constant(`apps/tilechat/users/${user}/#`)),
        anyTopic,
      ),
    ),
  );

describe("isOwnFilter", () => {
  it("says what a naive reading says, and never lets a user reach a neighbour, for 100,000 attempts", () => {
    let allowed = 0;
    fc.assert(
      fc.property(attempt, anyGroupId, ([user, other, filter], conversWith) => {
        const own = isOwnFilter("tilechat", user, filter);
        expect(own).toBe(modelOfOwnFilter("tilechat", user, filter));

        if (!own) return;
        allowed++;
        const foreign = [
          topics.messageAdded("tilechat", other, conversWith),
          topics.messageAdded("other", user, conversWith),
          topics.ephemeral("tilechat", other),
          topics.presence("tilechat", other, user),
          topics.outgoing("tilechat", user, conversWith),
          topics.outgoing("tilechat", other, user),
          `apps/tilechat/users/${other}`,
        ];
        for (const topic of foreign) expect(topicMatches(filter, topic), topic).toBe(false);
      }),
      runs,
    );
    expect(allowed).toBeGreaterThan(5_000);
  }, 60_000);

  it.each(["a-b", "a=", "a:1", "ab", "aa", "A", "a$", "a,b"])(
    "keeps the user `a` out of the tree of `%s`",
    (other) => {
      expect(isOwnFilter("tilechat", "a", `apps/tilechat/users/${other}/#`)).toBe(false);
      expect(isOwnFilter("tilechat", other, "apps/tilechat/users/a/#")).toBe(false);
    },
  );

  it.each([
    "apps/tilechat/users/a/#",
    "apps/tilechat/users/a/messages/+/clientadded",
    "apps/tilechat/users/a/+/b/+/clientupdated",
    "apps/tilechat/users/a/ephemeral",
  ])("lets the user `a` have %s", (filter) => {
    expect(isOwnFilter("tilechat", "a", filter)).toBe(true);
  });

  it.each([
    "#",
    "apps/#",
    "apps/tilechat/#",
    "apps/tilechat/users/#",
    "apps/tilechat/users/+/#",
    "apps/+/users/a/#",
    "+/tilechat/users/a/#",
    "apps/tilechat/users/a",
    "apps/tilechat/users/a/#/b",
    "apps/tilechat/users/a/b#",
    "apps/tilechat/users/a/b+/c",
    "apps/tilechat/users/a/b\0",
    "/apps/tilechat/users/a/#",
    "$share/group/apps/tilechat/users/a/#",
    "$SYS/#",
    "",
    `apps/tilechat/users/a/${"x/".repeat(600)}#`,
  ])("refuses %j", (filter) => {
    expect(isOwnFilter("tilechat", "a", filter)).toBe(false);
  });
});
