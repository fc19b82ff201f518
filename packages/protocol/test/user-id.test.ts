import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import {
  fromRoutingKey,
  isUserId,
  limits,
  outsideIds,
  outsideJson,
  parseClientTopic,
  readConversWith,
  readUserId,
  toOutsideId,
  topics,
  toRoutingKey,
  toWireId,
  userScopes,
} from "../src/index.ts";
import { anyId, idAlphabet } from "./arbitraries.ts";

/** Texts as they come as ids: of providers, awkward ones, and any text at all. */
const anyText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.string({ unit: fc.constantFrom(...idAlphabet, ..."^^^%./+#*|{} 0123456789ABCDEFé💬"), maxLength: 30 }),
  fc.emailAddress(),
);

describe("The wire form of a user's id", () => {
  test.each([
    ["auth0|5f7c", "auth0^7C5f7c"],
    ["john.doe@example.com", "john^2Edoe@example^2Ecom"],
    ["+39333", "^2B39333"],
    ["42", "42"],
    ["Ada Lovelace", "Ada^20Lovelace"],
    ["a/b#c+d*e%f", "a^2Fb^23c^2Bd^2Ae^25f"],
    ["José", "Jos^C3^A9"],
    ["💬", "^F0^9F^92^AC"],
    ["a^b", "a^5Eb"],
    ["$SYS", "^24SYS"],
    ["__proto__", "^5F_proto__"],
    ["...", "^2E^2E^2E"],
  ])("of %s is %s", (outside, wire) => {
    expect(toWireId(outside)).toBe(wire);
    expect(toOutsideId(wire)).toBe(outside);
  });

  it("is the id itself for every id that was allowed before there were escapes", () => {
    fc.assert(
      fc.property(anyId, (id) => {
        expect(toWireId(id)).toBe(id);
        expect(toOutsideId(id)).toBe(id);
        expect(readUserId(id)).toBe(id);
      }),
    );
  });

  it("leads back to the id, so two ids never have one form", () => {
    fc.assert(
      fc.property(anyText, (id) => {
        const wire = toWireId(id);
        if (wire === null) return;
        expect(toOutsideId(wire)).toBe(id);
        expect(isUserId(wire)).toBe(true);
      }),
    );
  });

  it("is one segment of a topic, of a routing key and of a scope", () => {
    fc.assert(
      fc.property(anyText, (id) => {
        const wire = toWireId(id);
        if (wire === null) return;
        expect(wire).toMatch(/^[A-Za-z0-9_\-@:=~!,;()$&'^]+$/);
        const topic = topics.outgoing("tilechat", wire, wire);
        expect(parseClientTopic(topic)).toEqual({
          kind: "send",
          app: "tilechat",
          user: wire,
          recipient: wire,
        });
        expect(fromRoutingKey(toRoutingKey(topic))).toBe(topic);
        expect(userScopes("tilechat", wire)).toContain(`rabbitmq.read:*/*/apps.tilechat.users.${wire}.*`);
      }),
    );
  });

  it("and the id outside may be converted twice", () => {
    fc.assert(
      fc.property(anyText, (id) => {
        const wire = readUserId(id);
        if (wire === null) return;
        expect(readUserId(wire)).toBe(wire);
        expect(toOutsideId(toOutsideId(wire))).toBe(toOutsideId(wire));
      }),
    );
  });
});

describe("A user's id is refused", () => {
  test.each([
    ["that is empty", ""],
    ["that is the form of another id", "auth0^7C5f7c"],
    ["that is half a character", "a\ud800"],
    ["that is a step in a URL's path", ".."],
    ["that is escaped and looks like a group's", "a.group-b"],
    ["that is too long with its escapes", "ü".repeat(22)],
  ])("%s", (_why, id) => {
    expect(toWireId(id)).toBeNull();
  });

  it("on the wire when an escape is not needed, not in upper case, or no UTF-8", () => {
    for (const id of ["^2E", "a^41", "a^7c", "a^7", "a^FF", "a^", "^2Egroup-1"])
      expect(isUserId(id), id).toBe(false);
    expect(isUserId("x".repeat(limits.userIdBytes))).toBe(true);
    expect(isUserId("x".repeat(limits.userIdBytes + 1))).toBe(false);
  });
});

describe("A value of the wire", () => {
  const wire = {
    sender: "auth0^7C5f7c",
    recipient: "bob",
    text: "auth0^7C5f7c",
    attributes: {
      user: "auth0^7C5f7c",
      messagelabel: { key: "MEMBER_JOINED_GROUP", parameters: { member_id: "^2B39" } },
    },
    metadata: { sender: "auth0^7C5f7c" },
    events: [{ data: { members: ["^2B39", "bob"] } }],
    group: { members: { "^2B39": 1, bob: 1 } },
  };

  it("gets ids outside where users are named, and keeps what senders wrote", () => {
    const outside = {
      ...wire,
      sender: "auth0|5f7c",
      attributes: {
        user: "auth0^7C5f7c",
        messagelabel: { key: "MEMBER_JOINED_GROUP", parameters: { member_id: "+39" } },
      },
      events: [{ data: { members: ["+39", "bob"] } }],
      group: { members: { "+39": 1, bob: 1 } },
    };

    expect(outsideIds(wire)).toEqual(outside);
    expect(outsideIds(outside)).toEqual(outside);
    expect(JSON.parse(outsideJson(JSON.stringify(wire)))).toEqual(outside);
  });

  it("without an escape is not even parsed", () => {
    expect(outsideJson('{ "sender" : "bob", "big": 12345678901234567890 }')).toBe(
      '{ "sender" : "bob", "big": 12345678901234567890 }',
    );
  });

  it("names groups as they are", () => {
    expect(readConversWith("group-1")).toBe("group-1");
    expect(readConversWith("a.b")).toBe("a^2Eb");
  });
});
