import { expect, test } from "vitest";
import { generateWebhookSecret, isWebhookSecret, webhookSettingsSchema, withSecrets } from "../src/index.ts";

const first = generateWebhookSecret();
const second = generateWebhookSecret();
const older = generateWebhookSecret();
const hourMs = 3_600_000;

/** The first issue as the operator would read it. */
function complaint(environment: Record<string, string>): string {
  const result = webhookSettingsSchema.safeParse(environment);
  const [issue] = result.error?.issues ?? [];
  return issue === undefined ? "" : `${issue.path.join(".")}: ${issue.message}`;
}

test("Nothing set means enabled, with all events and no endpoints", () => {
  expect(webhookSettingsSchema.parse({ PATH: "/bin", WEBHOOK_ENDPOINTS: "" })).toEqual({
    enabled: true,
    endpoints: [],
    events: [
      "message-sent",
      "message-delivered",
      "message-received",
      "message-return-receipt",
      "conversation-archived",
      "conversation-unarchived",
      "presence-change",
    ],
    allowPrivate: [],
    keepDeliveredMs: 24 * hourMs,
    keepDeadMs: 30 * 24 * hourMs,
    notices: [],
  });
});

test("Lists are trimmed, query strings are kept, fragments and repeats are dropped", () => {
  const settings = webhookSettingsSchema.parse({
    WEBHOOK_ENDPOINTS:
      " https://a.example/hook?token=x%2Cy&b=2 ,http://b.example, https://a.example/hook?token=x%2Cy&b=2#top,",
    WEBHOOK_EVENTS: " message-sent , conversation-archived ",
    WEBHOOK_ALLOW_PRIVATE: "10.0.0.0/8, ::1",
  });

  expect(settings.endpoints).toEqual([
    { url: "https://a.example/hook?token=x%2Cy&b=2", secrets: [] },
    { url: "http://b.example/", secrets: [] },
  ]);
  expect(settings.events).toEqual(["message-sent", "conversation-archived"]);
  expect(settings.allowPrivate).toEqual(["10.0.0.0/8", "::1"]);
});

test.each([
  ["true", true],
  ["1", true],
  ["Yes", true],
  ["false", false],
  ["0", false],
  ["off", false],
])("WEBHOOK_ENABLED=%s means %s", (text, enabled) => {
  expect(webhookSettingsSchema.parse({ WEBHOOK_ENABLED: text }).enabled).toBe(enabled);
});

test("The singular name is understood, with a notice", () => {
  const settings = webhookSettingsSchema.parse({ WEBHOOK_ENDPOINT: "http://old.example/hook" });

  expect(settings.endpoints).toEqual([{ url: "http://old.example/hook", secrets: [] }]);
  expect(settings.notices).toEqual([
    "WEBHOOK_ENDPOINT is understood, but it is called WEBHOOK_ENDPOINTS now",
  ]);
});

test("The plural name wins over the singular one, with a notice", () => {
  const settings = webhookSettingsSchema.parse({
    WEBHOOK_ENDPOINT: "http://old.example/",
    WEBHOOK_ENDPOINTS: "http://new.example/",
  });

  expect(settings.endpoints.map(({ url }) => url)).toEqual(["http://new.example/"]);
  expect(settings.notices).toEqual([
    "WEBHOOK_ENDPOINT is not used: WEBHOOK_ENDPOINTS is set as well and wins",
  ]);
});

test("One secret is for all endpoints", () => {
  const settings = webhookSettingsSchema.parse({
    WEBHOOK_ENDPOINTS: "http://a.example/,http://b.example/",
    WEBHOOK_SECRETS: first,
  });

  expect(settings.endpoints.map(({ secrets }) => secrets)).toEqual([[first], [first]]);
});

test("Secrets of a file belong to the endpoints as those of the variable do", () => {
  const settings = webhookSettingsSchema.parse({
    WEBHOOK_ENDPOINTS: "http://a.example/,http://b.example/",
    WEBHOOK_SECRETS_FILE: "/etc/secrets",
  });
  const secretsOf = (text: string) => withSecrets(settings, text).endpoints.map(({ secrets }) => secrets);

  expect(settings).toMatchObject({
    secretsFile: "/etc/secrets",
    endpoints: [{ secrets: [] }, { secrets: [] }],
  });
  expect(secretsOf(`${first}\n`)).toEqual([[first], [first]]);
  expect(secretsOf(`${first}, ${second}|${older}`)).toEqual([[first], [second, older]]);
  for (const text of ["", " ,\n", "hunter2", `${first},${second},${older}`]) {
    expect(() => secretsOf(text)).toThrow(/^(there is no secret|expected (one secret|1 secret, or 2))/);
    expect(() => secretsOf(text)).not.toThrow("hunter2");
  }
});

test("Several secrets belong to the endpoints in order, each with an older one during a rotation", () => {
  const settings = webhookSettingsSchema.parse({
    WEBHOOK_ENDPOINTS: "http://a.example/,http://b.example/",
    WEBHOOK_SECRETS: `${first}, ${second} | ${older}`,
  });

  expect(settings.endpoints.map(({ secrets }) => secrets)).toEqual([[first], [second, older]]);
});

test.each([
  [{ WEBHOOK_ENABLED: "maybe" }, "WEBHOOK_ENABLED: expected true or false"],
  [
    { WEBHOOK_ENDPOINTS: "ftp://a.example" },
    "WEBHOOK_ENDPOINTS: expected addresses that begin with http:// or https://",
  ],
  [{ WEBHOOK_ENDPOINTS: "a.example/hook" }, "WEBHOOK_ENDPOINTS: expected addresses that begin with"],
  [
    { WEBHOOK_ENDPOINTS: "http://user:pass@a.example" },
    "WEBHOOK_ENDPOINTS: expected an address without user and password",
  ],
  [
    { WEBHOOK_EVENTS: "message-sent,new-message" },
    "WEBHOOK_EVENTS: expected names between commas, of message-sent, ",
  ],
  [{ WEBHOOK_SECRETS: "hunter2" }, "WEBHOOK_SECRETS: expected one secret for all endpoints, or one for each"],
  [
    { WEBHOOK_SECRETS: `${first}|${second}|${older}` },
    "WEBHOOK_SECRETS: expected one secret for all endpoints",
  ],
  [
    { WEBHOOK_ENDPOINTS: "http://a.example", WEBHOOK_SECRETS: `${first},${second}` },
    "WEBHOOK_SECRETS: expected 1 secret, or 1: as many as there are endpoints; got 2",
  ],
  [
    { WEBHOOK_SECRETS: first, WEBHOOK_SECRETS_FILE: "/etc/secrets" },
    "WEBHOOK_SECRETS_FILE: WEBHOOK_SECRETS is set as well: set one of the two",
  ],
  [{ WEBHOOK_ALLOW_PRIVATE: "10.0.0.0/99" }, "WEBHOOK_ALLOW_PRIVATE: expected address ranges between commas"],
  [{ WEBHOOK_KEEP_DELIVERED_HOURS: "0" }, "WEBHOOK_KEEP_DELIVERED_HOURS: expected a whole number, 1 to 8760"],
  [{ WEBHOOK_KEEP_DEAD_DAYS: "1.5" }, "WEBHOOK_KEEP_DEAD_DAYS: expected a whole number, 1 to 3650"],
])("%j is refused with one line", (environment, expected) => {
  const line = complaint(environment);

  expect(line).toContain(expected);
  expect(line).not.toContain("hunter2");
  expect(line).not.toContain(first);
});

test("A generated secret has 32 random bytes and the prefix", () => {
  expect(first).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
  expect(first).not.toBe(second);
  expect(isWebhookSecret(first)).toBe(true);
});

test.each(["", "whsec_", "whsec_AAAA", `whsec_${"A".repeat(88)}AAAA`, first.slice(6), `${first}x`])(
  "%j is no secret",
  (text) => {
    expect(isWebhookSecret(text)).toBe(false);
  },
);
