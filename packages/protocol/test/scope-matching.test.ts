import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readScopes, Scopes, serviceScopes, topics, toRoutingKey, userScopes } from "../src/index.ts";
import { anyGroupId, anyId } from "./arbitraries.ts";

const opensKey = (pattern: string, key: string) =>
  new Scopes([`rabbitmq.read:*/*/${pattern}`]).opensKey("read", key);

describe("The routing key of a scope", () => {
  it.each([
    ["a.b", "a.b", true],
    ["a.b", "a.bc", false],
    ["a.b", "xa.b", false],
    ["*", "anything.at.all", true],
    ["", "", true],
    ["", "a", false],
    ["a.*", "a.b.c", true],
    ["a.*", "a.", true],
    ["a.*", "a", false],
    ["*.b", "a.b", true],
    ["a.**.c", "a.b.c", true],
    ["a.*.c.*", "a.b.c.d", true],
    ["a%2Eb", "a.b", true],
    ["a%2ab", "a*b", true],
    ["a%2ab", "axb", false],
    ["a+b", "a b", true],
    ["a%", "a%", false],
    ["a%2", "a%2", false],
    ["%C3%A4", "ä", true],
    // A wildcard of MQTT is a sign like any other: it is opened by one that stands for all of what it stands for.
    ["a.#", "a.#", true],
    ["a.#", "a.b", false],
    ["a.*.c", "a.#", false],
    // As the plugin: the first place of a part is taken, and the second is not sought.
    ["a.*.c", "a.b.c.d.c", false],
  ])("%j against %j: %s", (pattern, key, expected) => {
    expect(opensKey(pattern, key)).toBe(expected);
  });
});

describe("A scope", () => {
  it.each([
    "read:*/*/*",
    "rabbitmq.read",
    "rabbitmq.read:*",
    "rabbitmq.read:*/*/*/*",
    "rabbitmq.tag:administrator",
    "rabbitmq.delete:*/*/*",
    "Rabbitmq.read:*/*/*",
    "xrabbitmq.read:*/*/*",
    "rabbitmq.read:other/*/*",
    "rabbitmq.read:%/*/*",
    "openid",
    "",
  ])("%j opens nothing", (scope) => {
    const scopes = new Scopes([scope]);

    expect(scopes.isEmpty).toBe(true);
    expect(scopes.opens("read", "amq.topic")).toBe(false);
    expect(scopes.opensAllKeys("read", "a.")).toBe(false);
  });

  it("without a routing key opens a name, and no key", () => {
    const scopes = new Scopes(["rabbitmq.read:%2F/amq.topic"]);

    expect(scopes.opens("read", "amq.topic")).toBe(true);
    expect(scopes.opens("write", "amq.topic")).toBe(false);
    expect(scopes.opensKey("read", "a")).toBe(false);
  });

  it("of another exchange opens no key of the clients' one", () => {
    expect(new Scopes(["rabbitmq.read:*/other/*"]).opensKey("read", "a")).toBe(false);
  });
});

describe("The claim", () => {
  it.each([undefined, "openid profile email", ["offline_access"]])("%j says nothing of Chat21", (claim) => {
    expect(readScopes(claim)).toBeUndefined();
  });

  it.each(["", " ", [], "rabbitmq.tag:x", "other.read:*/*/*", ["openid", "rabbitmq.read:x/*/*"]])(
    "%j opens nothing",
    (claim) => {
      expect(readScopes(claim)?.isEmpty).toBe(true);
    },
  );

  it("is a list, or one text, and may hold scopes of others", () => {
    for (const claim of ["openid rabbitmq.read:*/*/a", ["openid", "rabbitmq.read:*/*/a"]])
      expect(readScopes(claim)?.opensKey("read", "a")).toBe(true);
  });
});

describe("A tree of keys", () => {
  it.each([
    ["a.b.*", true],
    ["a.*", true],
    ["*", true],
    ["*.b.*", true],
    ["a.b.", false],
    ["", false],
    ["a.b.#", false],
    ["a.b.*.c", false],
    ["a.b.c.*", false],
  ])("a.b. is opened by %j: %s", (pattern, expected) => {
    expect(new Scopes([`rabbitmq.read:*/*/${pattern}`]).opensAllKeys("read", "a.b.")).toBe(expected);
  });

  it("that is opened has no key that is not, whatever the scope", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "b", ".", "*", "#", "%2A"), maxLength: 8 });
    fc.assert(
      fc.property(text, text, text, (pattern, beginning, end) => {
        const scopes = new Scopes([`rabbitmq.read:*/*/${pattern}`]);
        fc.pre(scopes.opensAllKeys("read", beginning));
        expect(scopes.opensKey("read", beginning + end)).toBe(true);
      }),
    );
  });
});

it.each(["strict", "compat"])("the scopes of a %s token open all topics of its user", (profile) => {
  fc.assert(
    fc.property(anyId, anyId, anyGroupId, (app, user, conversWith) => {
      const scopes = new Scopes(userScopes(app, user, profile === "strict" ? "c-1" : undefined));

      expect(scopes.opensAllKeys("read", `apps.${app}.users.${user}.`)).toBe(true);
      expect(scopes.opensAllKeys("write", `apps.${app}.users.${user}.`)).toBe(true);
      expect(scopes.opensKey("write", toRoutingKey(topics.outgoing(app, user, conversWith)))).toBe(true);
      expect(scopes.opens("configure", "mqtt-subscription-c-1qos1")).toBe(true);
    }),
  );
});

it("a backend's scopes open everything", () => {
  expect(new Scopes(serviceScopes).opensAllKeys("write", "")).toBe(true);
});
