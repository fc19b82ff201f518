import { isId, toWireId } from "@chat21/protocol";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseMembers } from "../src/conversations/parse-members.ts";
import { userIdFromName, userIdProblem } from "../src/sign-in/user-id.ts";

describe("user ids", () => {
  test("follow from a name", () => {
    expect(userIdFromName("Ada Lovelace")).toBe("ada-lovelace");
    expect(userIdFromName("  José  Núñez-O'Hara ")).toBe("jose-nunez-o-hara");
    expect(userIdFromName("石井")).toBe("");
    expect(userIdFromName("__proto__")).toBe("");
  });

  test("made from a name are always good, or empty", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 100 }), (name) => {
        const id = userIdFromName(name);
        expect(id === "" || isId(id)).toBe(true);
      }),
    );
  });

  test("are refused with a reason exactly when the protocol refuses them", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 70 }), (id) => {
        expect(userIdProblem(id) === undefined).toBe(toWireId(id) !== null);
      }),
    );
    expect(userIdProblem("john.doe@example.com")).toBeUndefined();
    expect(userIdProblem("auth0^7C5f7c")).toContain("two users");
    expect(userIdProblem("ü".repeat(60))).toContain("too long");
  });

  test("of a group's members are read from a list, each once", () => {
    expect(parseMembers(" ada, grace\nada ,,alan ")).toEqual({
      members: ["ada", "grace", "alan"],
      wrong: undefined,
    });
    expect(parseMembers("auth0|5f7c john.doe@example.com").wrong).toBeUndefined();
    expect(parseMembers("ada a^2Fb").wrong).toBe("a^2Fb");
    expect(parseMembers("")).toEqual({ members: [], wrong: undefined });
  });
});
