import { expect, test } from "vitest";
import { createAddressPolicy } from "../src/address-policy.ts";
import { assertUsableEndpoint, endpointLabel, normalizeEndpointUrl } from "../src/endpoint.ts";
import { generateWebhookSecret } from "../src/index.ts";

const secrets = [generateWebhookSecret()];

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

test("A literal private address is refused at once, with what to do", () => {
  const policy = createAddressPolicy(["10.0.0.0/8"]);

  expect(() => assertUsableEndpoint({ url: "http://192.168.1.5/h?t=1", secrets }, policy)).toThrow(
    "http://192.168.1.5/h?… is not a public address; set WEBHOOK_ALLOW_PRIVATE=192.168.1.5 to allow it",
  );
  expect(() => assertUsableEndpoint({ url: "http://[::ffff:7f00:1]/", secrets }, policy)).toThrow(
    "is not a public address",
  );
  expect(() => assertUsableEndpoint({ url: "http://10.2.3.4/", secrets }, policy)).not.toThrow();
  expect(() => assertUsableEndpoint({ url: "http://some-name/", secrets }, policy)).not.toThrow();
});

test("An endpoint without a secret is refused", () => {
  expect(() =>
    assertUsableEndpoint({ url: "https://a.example/", secrets: [] }, createAddressPolicy()),
  ).toThrow("https://a.example/: there is no secret to sign with");
});
