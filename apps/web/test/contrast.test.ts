import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

const tokens = new Map(
  [
    ...readFileSync(new URL("../src/styles/tokens.css", import.meta.url), "utf8").matchAll(
      /--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)/gu,
    ),
  ].map(([, name, light, dark]) => [name, { light, dark }]),
);

/** Relative luminance (WCAG 2.2). */
function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

const texts = ["ink", "ink-soft", "ink-faint", "accent", "signal", "danger"];
const grounds = ["paper", "surface", "raised", "sunken", "hover", "own", "other"].concat([
  "accent-soft",
  "signal-soft",
  "danger-soft",
]);

describe.each(["light", "dark"] as const)("in %s colours", (scheme) => {
  const colour = (name: string) => tokens.get(name)?.[scheme] ?? "";

  test("every text can be read on every ground (WCAG 2.2, 1.4.3: 4.5)", () => {
    const faint = texts.flatMap((text) =>
      grounds
        .filter((ground) => !(contrast(colour(text), colour(ground)) >= 4.5))
        .map((ground) => `${text} on ${ground}`),
    );

    expect(faint).toEqual([]);
  });

  test("what is written on a full colour can be read", () => {
    for (const [text, ground] of [
      ["on-accent", "accent"],
      ["on-signal", "signal"],
    ] as const) {
      expect(contrast(colour(text), colour(ground))).toBeGreaterThanOrEqual(4.5);
    }
  });
});
