import { describe, expect, it } from "vitest";
import * as z from "zod";
import {
  clusterSettings,
  clusterVariables,
  createSettingsReader,
  defineSetting,
  OperatorError,
  portSchema,
} from "../src/index.ts";

const table = {
  port: defineSetting({
    names: ["CHAT21_TEST_PORT", "TEST_PORT"],
    flag: "port",
    schema: portSchema,
    defaultText: "1",
    meaning: "Port of the test.",
  }),
  key: defineSetting({
    names: ["CHAT21_TEST_KEY"],
    schema: z.string().startsWith("k-", { error: "expected a key" }),
    defaultText: "required",
    meaning: "Key of the test.",
    isSecret: true,
  }),
};

const readerOf = (environment: Record<string, string>, overrides = {}) =>
  createSettingsReader({
    ...{ table, environment, overrides },
    unused: new Map([["TEST_OLD", "it is old"]]),
    others: ["CHAT21_OTHER"],
  });

describe("a settings reader", () => {
  it("takes the first name that is set, and says when another disagrees", () => {
    const reader = readerOf({ CHAT21_TEST_PORT: "", TEST_PORT: "7" });
    const disagreeing = readerOf({ CHAT21_TEST_PORT: "8", TEST_PORT: "7" });

    expect(reader.read("port")).toBe(7);
    expect(disagreeing.read("port")).toBe(8);
    expect(reader.notices()).toEqual([]);
    expect(disagreeing.notices()).toEqual([
      { level: "warn", text: "TEST_PORT is not used: CHAT21_TEST_PORT is set as well and wins" },
    ]);
  });

  it("lets the command line win, and names its option in a refusal", () => {
    expect(readerOf({ TEST_PORT: "7" }, { port: "9" }).read("port")).toBe(9);
    expect(() => readerOf({}, { port: "x" }).read("port")).toThrow(
      new OperatorError('--port: expected a port number, 0 to 65535, got "x"'),
    );
  });

  it("says what is missing and what it is for", () => {
    expect(() => readerOf({}).readRequired("port")).toThrow(
      new OperatorError("CHAT21_TEST_PORT or TEST_PORT: missing; Port of the test."),
    );
    expect(readerOf({ CHAT21_TEST_KEY: "k-1" }).readRequired("key")).toBe("k-1");
  });

  it("never shows a secret", () => {
    expect(() => readerOf({ CHAT21_TEST_KEY: "hush" }).read("key")).toThrow(
      new OperatorError("CHAT21_TEST_KEY: expected a key"),
    );
  });

  it("names what has no effect with the reason, asks back about what nobody knows, and is silent about the rest", () => {
    const reader = readerOf({ TEST_OLD: "1", CHAT21_TEST_POTR: "1", CHAT21_OTHER: "1", PATH: "/bin" });

    expect(reader.notices()).toEqual([
      { level: "warn", text: "CHAT21_TEST_POTR is not a setting; did you mean CHAT21_TEST_PORT?" },
      { level: "info", text: "TEST_OLD is not used: it is old" },
    ]);
  });
});

describe("the settings of the cluster", () => {
  it("have names of their own", () => {
    expect(new Set(clusterVariables).size).toBe(clusterVariables.length);
  });

  it.each([
    ["mongoUri", "localhost:27017", "expected an address that begins with mongodb:// or mongodb+srv://"],
    ["rabbitUri", "http://localhost", "expected an address that begins with amqp:// or amqps://"],
    ["rabbitUri", "amqp://", "expected an address that begins with amqp:// or amqps://"],
    ["prefetch", "0", "expected a whole number, 1 to 65535"],
    ["managementUri", "localhost:15672", "expected an address that begins with http:// or https://"],
  ] as const)("refuse %s = %s", (name, text, message) => {
    const result = clusterSettings[name].schema.safeParse(text);

    expect(result.error?.issues.map((issue) => issue.message)).toEqual([message]);
  });
});
