import { describe, expect, test } from "vitest";
import { conversationFromHash, conversationHref } from "../src/chat/route.ts";
import { initials, toneOf } from "../src/ui/name-mark.ts";

describe("a name's mark", () => {
  test("is the first letters of the first and the last word", () => {
    expect(initials("Ada Lovelace")).toBe("AL");
    expect(initials("grace-brewster-hopper")).toBe("GH");
    expect(initials("émilie")).toBe("É");
    expect(initials("🦋 Moth")).toBe("M");
    expect(initials("🦋")).toBe("?");
  });

  test("has one of eight tones, always the same", () => {
    const tones = new Set(Array.from({ length: 200 }, (_, index) => toneOf(`user-${index}`)));

    expect([...tones].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(toneOf("ada")).toBe(toneOf("ada"));
  });
});

describe("a conversation's address", () => {
  test.each(["ada", "group-1", "a@b:c=d", "a'b&c", "support-group-x!"])("leads back to %s", (id) => {
    expect(conversationFromHash(new URL(conversationHref(id), "http://localhost/").hash)).toBe(id);
  });

  test.each(["", "#", "#/", "#/a%5E2Fb", "#/%", "#/a.group-b", "#/.."])("is the list for %s", (hash) => {
    expect(conversationFromHash(hash)).toBeNull();
  });
});
