import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { linkify } from "../src/timeline/linkify.ts";

const links = (text: string) => linkify(text).flatMap((part) => (part.href === undefined ? [] : [part.href]));

describe("linkify", () => {
  test("finds a link between words and keeps the words", () => {
    expect(linkify("see https://example.org/a?b=c#d today")).toEqual([
      { text: "see " },
      { text: "https://example.org/a?b=c#d", href: "https://example.org/a?b=c#d" },
      { text: " today" },
    ]);
  });

  test("leaves a sentence's own punctuation outside the link", () => {
    expect(links("Look: https://example.org/a. Or (https://example.org/b)!")).toEqual([
      "https://example.org/a",
      "https://example.org/b",
    ]);
  });

  test("keeps brackets that belong to the address", () => {
    expect(links("https://example.org/Moth_(relay)")).toEqual(["https://example.org/Moth_(relay)"]);
  });

  test("completes an address that begins with www", () => {
    expect(links("www.example.org")).toEqual(["https://www.example.org/"]);
  });

  test.each([
    "javascript:alert(1)",
    "data:text/html,x",
    "file:///etc/passwd",
    "vbscript:x",
    "https://",
    "ftp://a.b",
  ])("never links %s", (text) => {
    expect(links(text)).toEqual([]);
  });

  test("takes the time that the length asks for, whatever a text of 2 MiB is made of", () => {
    const many = (text: string) => text.repeat(2 ** 21 / text.length);

    expect(linkify(`http://a/${many(")")}`)).toHaveLength(2);
    expect(links(`http://a/${many(".")}x`)).toHaveLength(1);
    expect(links(many("http://a/. "))).toHaveLength(200);
  });

  test("gives back every text whole and links nothing but http, https and mailto", () => {
    const pieces = fc.constantFrom(
      "https://",
      "http://",
      "www.",
      "mailto:",
      "javascript:",
      "a.b",
      "(",
      ")",
      ".",
      " ",
      "\n",
      "<",
      "ä",
      "@",
    );
    const text = fc.array(fc.oneof(pieces, fc.string({ unit: "grapheme", maxLength: 5 })), { maxLength: 12 });

    fc.assert(
      fc.property(text, (parts) => {
        const whole = parts.join("");
        expect(
          linkify(whole)
            .map((part) => part.text)
            .join(""),
        ).toBe(whole);
        for (const href of links(whole)) expect(href).toMatch(/^(https?:\/\/.|mailto:)/u);
      }),
      { numRuns: 5_000 },
    );
  });
});
