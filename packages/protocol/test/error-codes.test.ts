import { readFileSync } from "node:fs";
import { describe, expect, it, test } from "vitest";
import { ChatError, errorCodes, isErrorCode } from "../src/index.ts";

const page = readFileSync(new URL("../../../docs/errors.md", import.meta.url), "utf8");

/** Rows of the page's table: `| code | status | retryable | meaning | what to do |`. */
const documented = page
  .split("\n")
  .filter((line) => line.startsWith("| `"))
  .map((line) => line.slice(1, -1).split(" | "))
  .map(([code = "", status, retryable, meaning = "", advice = "", ...more]) => {
    return {
      code: code.trim().replaceAll("`", ""),
      status: Number(status),
      retryable,
      meaning,
      advice,
      more,
    };
  });

describe("docs/errors.md", () => {
  it("names every code of the table, and no other, in the same order", () => {
    expect(documented.map(({ code }) => code)).toEqual(Object.keys(errorCodes));
  });

  it.each(Object.entries(errorCodes))(
    "gives `%s` its status and whether to retry",
    (name, { status, retryable }) => {
      expect(documented.find(({ code }) => code === name)).toMatchObject({
        status,
        retryable: retryable ? "yes" : "no",
      });
    },
  );

  it.each(documented)(
    "says of `$code` what it means and what to do, in sentences",
    ({ meaning, advice, more }) => {
      expect(meaning.trim()).toMatch(/^[A-Z].{15,}\.$/);
      expect(advice.trim()).toMatch(/^[A-Z].{10,}\.$/);
      expect(more).toEqual([]);
    },
  );
});

describe("The table of codes", () => {
  it("is sorted, so that a new code has one place", () => {
    expect(Object.keys(errorCodes)).toEqual(Object.keys(errorCodes).sort());
  });

  it.each(Object.entries(errorCodes))(
    "gives `%s` a status that agrees with whether to retry",
    (_code, entry) => {
      expect(entry.status).toBeGreaterThanOrEqual(400);
      expect(entry.status).toBeLessThan(600);
      if (entry.retryable) expect([429, 500, 503, 504, 507]).toContain(entry.status);
      else expect(entry.status === 501 || entry.status < 500).toBe(true);
      expect(entry.title).toMatch(/^[A-Z][^.]*[^.]$/);
    },
  );
});

test.each(["constructor", "toString", "__proto__", "", "OK", "ok", 1, null, undefined])(
  "%o is no error code",
  (value) => {
    expect(isErrorCode(value)).toBe(false);
  },
);

describe("A ChatError", () => {
  it("carries its code, whether to retry, and the code's title unless a message is given", () => {
    const error = new ChatError("rate_limited", undefined, { retryAfterMs: 250 });

    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({
      name: "ChatError",
      code: "rate_limited",
      retryable: true,
      retryAfterMs: 250,
    });
    expect(error.message).toBe(errorCodes.rate_limited.title);
    expect(new ChatError("forbidden", "not yours")).toMatchObject({ message: "not yours", retryable: false });
  });

  it("keeps its cause, and has none when none was given", () => {
    const cause = new RangeError("low level");

    expect(new ChatError("internal", "high level", { cause }).cause).toBe(cause);
    expect("cause" in new ChatError("internal")).toBe(false);
  });

  it("made from an unknown thrown value is the value itself when it is one", () => {
    const error = new ChatError("not_found");

    expect(ChatError.fromUnknown(error)).toBe(error);
  });

  it.each([
    [new TypeError("boom"), "boom"],
    ["text", "text"],
    [undefined, "undefined"],
    [null, errorCodes.internal.title],
    [{ some: "object" }, errorCodes.internal.title],
    [42, "42"],
    [Symbol("s"), "Symbol(s)"],
  ])("made from %o is `internal` with the value as its cause", (thrown, message) => {
    expect(ChatError.fromUnknown(thrown)).toMatchObject({ code: "internal", message, retryable: true });
    expect(ChatError.fromUnknown(thrown).cause).toBe(thrown);
  });

  it("can be made from anything that can be thrown, even from what has no text", () => {
    expect(ChatError.fromUnknown(Object.create(null)).code).toBe("internal");
  });
});
