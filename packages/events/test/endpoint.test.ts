import { expect, test } from "vitest";
import { endpointLabel, normalizeEndpointUrl } from "../src/index.ts";

test.each([
  ["http://a.example", "http://a.example/"],
  [" HTTPS://A.example:443/Hook?B=2&a=1#top ", "https://a.example/Hook?B=2&a=1"],
  ["http://0x7f.1/", "http://127.0.0.1/"],
  ["http://2130706433/", "http://127.0.0.1/"],
  ["http://[0:0::1]:8080/x", "http://[::1]:8080/x"],
])("%j is stored as %s", (text, url) => {
  expect(normalizeEndpointUrl(text)).toBe(url);
});

test.each([
  "",
  "a.example",
  "//a.example",
  "file:///etc/passwd",
  "javascript:1",
  "http://",
  `http://a.example/${"x".repeat(2_048)}`,
])("%j is refused", (text) => {
  expect(() => normalizeEndpointUrl(text)).toThrow("expected addresses that begin with http:// or https://");
});

test("A label never shows the query string", () => {
  expect(endpointLabel("https://a.example/hook?token=hunter2")).toBe("https://a.example/hook?…");
  expect(endpointLabel("https://a.example/hook")).toBe("https://a.example/hook");
  expect(endpointLabel("nonsense")).toBe("?");
});
