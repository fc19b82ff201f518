import { unusedOriginalVariables } from "@chat21/original";
import { OperatorError, usualEvents } from "@chat21/runtime";
import { describe, expect, it } from "vitest";
import { loadApiConfig } from "../src/config.ts";

const needed = {
  RABBITMQ_URI: "amqp://guest:guest@rabbit:5672",
  MONGODB_URI: "mongodb://mongo/chat21",
  JWT_KEY: "0123456789abcdefghijklmnopqrstuv",
};
const load = (environment: Record<string, string> = {}) => loadApiConfig({ ...needed, ...environment });
const texts = (environment: Record<string, string>) => load(environment).notices.map((notice) => notice.text);

describe("the API's configuration as a process of its own", () => {
  it("has the documented defaults where only the addresses and the secret are given", () => {
    const { config, notices } = load();

    expect(config).toEqual({
      rabbitUri: needed.RABBITMQ_URI,
      mongoUri: needed.MONGODB_URI,
      secret: needed.JWT_KEY,
      apps: undefined,
      migrate: true,
      host: "0.0.0.0",
      httpPort: 8010,
      tokensWithoutExp: false,
      basePath: "/api",
      tls: undefined,
      trustProxy: false,
      metricsToken: undefined,
      logLevel: "INFO",
      startTimeoutMs: 60_000,
      namesVisible: true,
      presence: true,
      events: usualEvents,
      requestsPerMinute: 600,
      authFailuresPerMinute: 60,
      rateLimits: true,
      messageRate: undefined,
      contactsUrl: undefined,
      managementUri: undefined,
      webhooks: expect.objectContaining({ enabled: true, endpoints: [] }),
      proxies: { http: "", https: "", except: "" },
    });
    expect(notices).toEqual([]);
  });

  it("understands every variable of an existing server", () => {
    const { config } = load({
      PORT: "8004",
      BASEURL: "/chat/api/",
      KEY_PEM: "k.pem",
      CERT_PEM: "c.pem",
      CONTACTS_LOOKUP_ENDPOINT: "https://contacts.example/users",
      AUTO_RESTART: "0",
      LOG_LEVEL: "error",
    });

    expect(config).toMatchObject({
      httpPort: 8004,
      basePath: "/chat/api",
      tls: { key: "k.pem", cert: "c.pem" },
      contactsUrl: "https://contacts.example/users",
      startTimeoutMs: 0,
      logLevel: "ERROR",
    });
  });

  it("reads its own variables", () => {
    const { config } = load({
      CHAT21_JWT_SECRET: needed.JWT_KEY,
      CHAT21_HTTP_PORT: "0",
      CHAT21_APPS: "one",
      CHAT21_TRUST_PROXY: "2",
      CHAT21_REQUESTS_PER_MINUTE: "10",
      CHAT21_AUTH_FAILURES_PER_MINUTE: "5",
      BUCKET_MSG_CAPACITY: "60",
      RABBITMQ_MANAGEMENT_URI: "http://guest:guest@rabbit:15672",
      WEBHOOK_ENDPOINTS: "https://one.example/",
    });

    expect(config).toMatchObject({
      httpPort: 0,
      apps: ["one"],
      trustProxy: 2,
      requestsPerMinute: 10,
      authFailuresPerMinute: 5,
      messageRate: { capacity: 60, refillPerMinute: 30 },
      managementUri: "http://guest:guest@rabbit:15672",
      webhooks: { endpoints: [{ url: "https://one.example/" }] },
    });
  });

  it("knows an identity provider, and the one app that its users can belong to", () => {
    const given = { CHAT21_OIDC_ISSUER: "https://id.example/", CHAT21_OIDC_AUDIENCE: "web, phone" };

    expect(load({ ...given, CHAT21_APPS: "one" }).config.identityProvider).toEqual({
      ...{ issuer: "https://id.example/", audiences: ["web", "phone"] },
      ...{ jwksUrl: undefined, app: "one", userClaim: "sub" },
    });
    expect(load(given).config.identityProvider).toMatchObject({ app: "tilechat" });
    expect(() => load({ ...given, CHAT21_APPS: "one", CHAT21_OIDC_APP: "two" })).toThrow(
      /none of CHAT21_APPS/,
    );
    expect(() => load({ ...given, CHAT21_OIDC_ISSUER: "http://id.example/" })).toThrow(
      /expected an https address/,
    );
  });

  it.each([
    ["JWT_KEY", "", /^CHAT21_JWT_SECRET or JWT_KEY: missing; Shared secret of HS256 tokens/],
    ["RABBITMQ_URI", "", /^RABBITMQ_URI: missing/],
    ["MONGODB_URI", "", /^MONGODB_URI: missing/],
    ["PORT", "eighty", /^PORT: expected a port number, 0 to 65535, got "eighty"$/],
    ["BASEURL", "api", /^BASEURL: expected a path such as \/api, got "api"$/],
    ["CERT_PEM", "c.pem", /^CHAT21_TLS_KEY: missing, although CHAT21_TLS_CERT is set$/],
    ["CHAT21_OIDC_ISSUER", "https://id.example/", /^CHAT21_OIDC_AUDIENCE is missing/],
    ["CHAT21_OIDC_AUDIENCE", "web", /^CHAT21_OIDC_ISSUER is missing/],
    ["CHAT21_OIDC_ISSUER", "id.example", /^CHAT21_OIDC_ISSUER: expected an address/],
    ["RABBITMQ_MANAGEMENT_URI", "u:hush@rabbit", /^RABBITMQ_MANAGEMENT_URI: expected an address/],
  ])("refuses %s=%s in one line that shows no secret", (name, value, message) => {
    expect(() => load({ [name]: value })).toThrow(OperatorError);
    expect(() => load({ [name]: value })).toThrow(message);
    expect(() => load({ [name]: value })).not.toThrow(/hush/);
  });

  it("calls a weak secret weak without showing it", () => {
    expect(texts({ JWT_KEY: "tokenKey" })).toEqual([
      expect.stringMatching(/^the secret that signs tokens is weak: it is a default that everybody knows/),
    ]);
    expect(texts({ JWT_KEY: "hush" }).join()).not.toContain("hush");
  });

  it("names what has no meaning any more, and nothing that other processes read", () => {
    for (const [name, reason] of unusedOriginalVariables.cluster) {
      expect(texts({ [name]: "x" })).toEqual([`${name} is not used: ${reason}`]);
    }
    expect(texts({ PREFETCH_MESSAGES: "1", CHAT21_QUEUE_TYPE: "quorum", METRICS_PORT: "1" })).toEqual([]);
  });
});
