import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { foldText } from "../src/timeline/fold-text.ts";
import { isBlank, shownName } from "../src/ui/foreign-text.ts";

describe("a name", () => {
  test("stays as it is where it does no harm", () => {
    for (const name of ["Ada Lovelace", "Zoë 🦊", "李小龍", "Nguyễn Văn A"])
      expect(shownName(name, "id")).toBe(name);
  });

  test("cannot turn the text around it", () => {
    expect(shownName("Ada\u202egpj.exe", "id")).toBe("Adagpj.exe");
    expect(shownName("\u2067\u2067Ada", "id")).toBe("Ada");
    expect(shownName("עדה", "id")).toBe("\u2068עדה\u2069");
  });

  test("is one line", () => {
    expect(shownName(`Ada${"\n".repeat(10_000)}Lovelace\u0000`, "id")).toBe("Ada Lovelace");
  });

  test.each(["", " \n", "\u200b\u200d", "\u3164", "\u2800", "\u0301\u0301"])(
    "that shows nothing (%j) gives way to the id",
    (name) => {
      expect(isBlank(name)).toBe(true);
      expect(shownName(name, "ada")).toBe("ada");
    },
  );
});

describe("a long text", () => {
  test("shows 40 lines, or 3,000 characters", () => {
    expect(foldText("\n".repeat(10_000))).toBe("\n".repeat(39));
    expect(foldText("x".repeat(60_000))).toBe("x".repeat(3_000));
    expect(foldText(`${"x".repeat(3_000)} end`)).toBe(`${"x".repeat(3_000)} end`);
  });

  test("begins with itself, and is never cut inside a character", () => {
    const text = fc.string({
      unit: fc.constantFrom("a", "\n", "🦊", "\u0301"),
      minLength: 2_900,
      maxLength: 3_400,
    });
    fc.assert(
      fc.property(text, (whole) => {
        const beginning = foldText(whole);
        expect(whole.startsWith(beginning)).toBe(true);
        expect(beginning.isWellFormed()).toBe(true);
      }),
    );
  });
});
