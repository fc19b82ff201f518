import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import {
  byteLength,
  conversationIdOf,
  conversWithOf,
  conversWithSchema,
  directConversationId,
  directMembers,
  idSchema,
  isGroupId,
  isId,
  looksLikeGroupId,
  readConversWith,
} from "../src/index.ts";
import { anyGroupId, anyId, idAlphabet, notAnId } from "./arbitraries.ts";

/** A support desk's group id as the field has them: 71 characters. */
const supportGroup = "support-group-65c5f7a1b2c3d4e5f6a7b8c9-0123456789abcdef0123456789abcdef";

describe("An id", () => {
  it("may hold every character of the alphabet, and `$` only after the first place", () => {
    for (const character of idAlphabet) {
      expect(isId(`a${character}`), character).toBe(true);
      expect(isId(character), character).toBe(character !== "$");
    }
  });

  it("may hold no other character, wherever it stands", () => {
    for (let code = 0; code <= 0x2ff; code++) {
      const character = String.fromCharCode(code);
      if (idAlphabet.includes(character)) continue;
      for (const id of [character, `${character}a`, `a${character}`, `a${character}b`]) {
        expect(isId(id), JSON.stringify(id)).toBe(false);
        expect(isGroupId(id), JSON.stringify(id)).toBe(false);
      }
    }
  });

  it("has 1-64 bytes, a group's 1-128", () => {
    expect(isId("")).toBe(false);
    expect(isId("x".repeat(64))).toBe(true);
    expect(isId("x".repeat(65))).toBe(false);
    expect(isGroupId("")).toBe(false);
    expect(isGroupId("x".repeat(128))).toBe(true);
    expect(isGroupId("x".repeat(129))).toBe(false);
  });

  it("of a support desk's group has 71 bytes and is a group's only", () => {
    expect(supportGroup).toHaveLength(71);
    expect(isGroupId(supportGroup)).toBe(true);
    expect(isId(supportGroup)).toBe(false);
  });

  it("is never `__proto__`, which is no plain key of an object, though others of that kind are", () => {
    expect(isId("__proto__")).toBe(false);
    expect(isGroupId("__proto__")).toBe(false);
    for (const id of ["constructor", "toString", "hasOwnProperty", "__proto", "__proto__x"])
      expect(isId(id)).toBe(true);
  });

  it.each([undefined, null, 1, true, {}, ["a"], new String("a")])("is never %o", (value) => {
    expect(isId(value)).toBe(false);
    expect(isGroupId(value)).toBe(false);
  });

  it("is judged alike by the predicates and the schemas", () => {
    fc.assert(
      fc.property(fc.oneof(anyId, anyGroupId, notAnId, fc.string()), (text) => {
        expect(idSchema.safeParse(text).success).toBe(isId(text));
        expect(conversWithSchema.safeParse(text).success).toBe(
          isGroupId(text) || readConversWith(text) !== null,
        );
      }),
    );
  });

  it("that is refused is never shown in the error", () => {
    const error = idSchema.safeParse("secret#value").error;

    expect(error?.issues[0]?.message).toContain("expected 1-64 characters of A-Z");
    expect(error?.issues[0]?.message).not.toContain("secret");
  });
});

test.each([
  ["group-1", true],
  ["support-group-abc-def", true],
  ["my-group-", true],
  ["group", false],
  ["Group-1", false],
  ["groups-1", false],
])("%s looks like a group's id: %s", (id, expected) => {
  expect(looksLikeGroupId(id)).toBe(expected);
});

describe("A direct conversation's id", () => {
  it("is the same from both sides, and each side finds the other in it", () => {
    fc.assert(
      fc.property(anyId, anyId, (a, b) => {
        const conversation = directConversationId(a, b);

        expect(directConversationId(b, a)).toBe(conversation);
        expect([...(directMembers(conversation) ?? [])].sort()).toEqual([a, b].sort());
        expect(conversWithOf(conversation, a)).toBe(b);
        expect(conversWithOf(conversation, b)).toBe(a);
        expect(isGroupId(conversation)).toBe(false);
      }),
    );
  });

  it("is another one for every pair", () => {
    fc.assert(
      fc.property(anyId, anyId, anyId, anyId, (a, b, c, d) => {
        const samePair = [a, b].sort().join(".") === [c, d].sort().join(".");

        expect(directConversationId(a, b) === directConversationId(c, d)).toBe(samePair);
      }),
    );
  });

  it("puts the smaller id by code unit first", () => {
    expect(directConversationId("b", "a")).toBe("a.b");
    expect(directConversationId("a", "B")).toBe("B.a");
    expect(directConversationId("me", "me")).toBe("me.me");
  });
});

test("A group's conversation is the group's id, for everybody in it", () => {
  expect(conversationIdOf("a", "group-1")).toBe("group-1");
  expect(conversationIdOf("a", "team", true)).toBe("team");
  expect(conversationIdOf("a", "b")).toBe("a.b");
  expect(conversWithOf("group-1", "a")).toBe("group-1");
  expect(directMembers("group-1")).toBeNull();
});

test.each([
  ["", 0],
  ["a", 1],
  ["ä", 2],
  ["€", 3],
  ["💬", 4],
])("The length of %j is %i bytes", (text, bytes) => {
  expect(byteLength(text)).toBe(bytes);
});
