import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { appendMembers, cutMembers, jsonDepth } from "../src/json-text.ts";

const blanks = fc.string({ unit: fc.constantFrom(" ", "\t", "\n", "\r"), maxLength: 3 });

/** JSON text with blanks, escapes and numbers as no serialiser would write them. */
const { value } = fc.letrec<{ value: string; member: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom(
      "null",
      "true",
      "-0",
      "1.0",
      "1e3",
      "12345678901234567890",
      '""',
      '"\\""',
      '"\\\\"',
      '"{}[],:"',
    ),
    fc.string().map((text) => JSON.stringify(text)),
    fc
      .string()
      .map(
        (text) =>
          `"${[...text].map((c) => `\\u${(c.codePointAt(0) ?? 0).toString(16).padStart(4, "0").slice(-4)}`).join("")}"`,
      ),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => JSON.stringify(number)),
    fc
      .tuple(blanks, fc.array(tie("value"), { maxLength: 4 }))
      .map(([blank, items]) => `[${blank}${items.join(`${blank},`)}${blank}]`),
    fc
      .tuple(blanks, fc.array(tie("member"), { maxLength: 4 }))
      .map(([blank, items]) => `{${blank}${items.join(`,${blank}`)}${blank}}`),
  ),
  member: fc
    .tuple(blanks, fc.string(), blanks, tie("value"))
    .map(([before, key, after, text]) => `${before}${JSON.stringify(key)}${after}:${before}${text}${after}`),
}));

const keys = ["sender", "status", "seq", "__history", "constructor", "a", ""] as const;

/** A key as text: plain, or with its first character escaped. */
const keyText = fc
  .tuple(fc.constantFrom(...keys), fc.boolean())
  .map(([key, escaped]) =>
    escaped && key !== ""
      ? `"\\u${key.charCodeAt(0).toString(16).padStart(4, "0")}${key.slice(1)}"`
      : JSON.stringify(key),
  );

const member = fc
  .tuple(keyText, blanks, value)
  .map(([key, blank, text]) => ({ key, text: `${key}${blank}:${blank}${text}` }));

/** Members of an object, keys possibly doubled; the text of each without the blanks around it. */
const members = fc.array(member, { maxLength: 6 });

/** Members whose keys differ: what a parser makes of doubled keys is not ours to say. */
const distinctMembers = fc.uniqueArray(member, { maxLength: 6, selector: ({ key }) => JSON.parse(key) });

const objectOf = (list: readonly { readonly text: string }[], blank: string) =>
  `${blank}{${blank}${list.map(({ text }) => text).join(`${blank},${blank}`)}${blank}}${blank}`;

/** Nesting, counted on the value. */
function depthOf(json: unknown): number {
  if (typeof json !== "object" || json === null) return 0;
  return 1 + Math.max(0, ...Object.values(json).map(depthOf));
}

const runs = { numRuns: 2_000 };

describe("cutMembers", () => {
  it("cuts every occurrence of the keys, and keeps every other member byte for byte and in its place", () => {
    fc.assert(
      fc.property(members, blanks, fc.subarray([...keys]), (list, blank, cut) => {
        const result = cutMembers(objectOf(list, blank), new Set(cut));

        const kept = list.filter(({ key }) => !cut.includes(JSON.parse(key)));
        expect(result).toBe(`{${kept.map(({ text }) => text).join(",")}}`);
      }),
      runs,
    );
  }, 60_000);

  it("leaves what a parser would leave", () => {
    fc.assert(
      fc.property(members, blanks, fc.subarray([...keys]), (list, blank, cut) => {
        const text = objectOf(list, blank);

        const expected = Object.entries(JSON.parse(text)).filter(
          ([key]) => !(cut as readonly string[]).includes(key),
        );

        expect(Object.entries(JSON.parse(cutMembers(text, new Set(cut))))).toEqual(expected);
      }),
      runs,
    );
  }, 60_000);

  it.each([
    ["{}", "{}"],
    [" { } ", "{}"],
    ['{"cut":1}', "{}"],
    ['{"a":1,"cut":{"x":"}"},"b":[1,2]}', '{"a":1,"b":[1,2]}'],
    ['{"a":"\\"cut\\":1","cut":"\\\\"}', '{"a":"\\"cut\\":1"}'],
    ['{"a":{"cut":1}}', '{"a":{"cut":1}}'],
    ['{"a":"cut","cut":["a",{"b":"]"}]}', '{"a":"cut"}'],
  ])("makes of %s: %s", (text, expected) => {
    expect(cutMembers(text, new Set(["cut"]))).toBe(expected);
  });
});

describe("appendMembers", () => {
  it("adds behind what is there, and touches nothing of it", () => {
    fc.assert(
      fc.property(distinctMembers, value, (list, text) => {
        const object = cutMembers(objectOf(list, ""), new Set(["seq"]));

        const result = appendMembers(object, `"seq":${text}`);

        expect(result.startsWith(object.slice(0, -1))).toBe(true);
        expect(JSON.parse(result)).toEqual({ ...JSON.parse(object), seq: JSON.parse(text) });
      }),
      runs,
    );
  }, 60_000);
});

describe("jsonDepth", () => {
  it("counts what a parser would count", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (json) => {
        expect(jsonDepth(JSON.stringify(json, null, 1))).toBe(depthOf(json));
      }),
      runs,
    );
  }, 60_000);

  it("never counts less than a parser sees, even where a doubled key hides something deeper", () => {
    fc.assert(
      fc.property(value, (text) => {
        expect(jsonDepth(text)).toBeGreaterThanOrEqual(depthOf(JSON.parse(text)));
      }),
      runs,
    );
    expect(jsonDepth('{"a":[[]],"a":1}')).toBe(3);
  });

  it.each([
    ["1", 0],
    ["{}", 1],
    ['{"a":"[[["}', 1],
    ['[{"a":[]}]', 3],
    ['"\\"[["', 0],
    ['["\\\\",[]]', 2],
  ])("is, for %s, %i", (text, depth) => {
    expect(jsonDepth(text)).toBe(depth);
  });
});
