import { generateWebhookSecret } from "@chat21/events";
import { expect, test } from "vitest";
import { createAddressPolicy } from "../src/address-policy.ts";
import { assertUsableEndpoint } from "../src/usable-endpoint.ts";

const secrets = [generateWebhookSecret()];

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
