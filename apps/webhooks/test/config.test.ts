import { generateWebhookSecret } from "@chat21/events";
import { unusedOriginalVariables } from "@chat21/original";
import { OperatorError } from "@chat21/runtime";
import { describe, expect, it } from "vitest";
import { loadWebhooksConfig, sends } from "../src/config.ts";

const secret = generateWebhookSecret();
const load = (environment: Record<string, string> = {}) =>
  loadWebhooksConfig({ MONGODB_URI: "mongodb://mongo/chat21", ...environment });

describe("the configuration of the process that sends webhooks", () => {
  it("has the documented defaults where only MongoDB is given, and nothing to send", () => {
    const { config, notices } = load();

    expect(config).toEqual({
      mongoUri: "mongodb://mongo/chat21",
      migrate: true,
      host: "0.0.0.0",
      metricsPort: 9090,
      metricsToken: undefined,
      logLevel: "INFO",
      startTimeoutMs: 60_000,
      webhooks: expect.objectContaining({ enabled: true, endpoints: [] }),
      proxies: { http: "", https: "", except: "" },
    });
    expect(sends(config.webhooks)).toBe(false);
    expect(notices).toEqual([]);
  });

  it("understands every variable of existing deployments", () => {
    const { config } = load({
      WEBHOOK_ENABLED: "true",
      WEBHOOK_ENDPOINTS: "https://one.example/hook, https://two.example/",
      WEBHOOK_EVENTS: "message-sent",
      WEBHOOK_SECRETS: secret,
      AUTO_RESTART: "false",
      LOG_LEVEL: "debug",
      METRICS_PORT: "9191",
    });

    expect(config).toMatchObject({
      webhooks: {
        endpoints: [
          { url: "https://one.example/hook", secrets: [secret] },
          { url: "https://two.example/", secrets: [secret] },
        ],
        events: ["message-sent"],
      },
      startTimeoutMs: 0,
      logLevel: "DEBUG",
      metricsPort: 9191,
    });
    expect(sends(config.webhooks)).toBe(true);
  });

  it("wants a secret to sign with, and says how to make one", () => {
    const endpoints = { WEBHOOK_ENDPOINTS: "https://one.example/" };

    expect(() => load(endpoints)).toThrow(OperatorError);
    expect(() => load(endpoints)).toThrow(/^WEBHOOK_SECRETS: missing; .*chat21-webhooks new-secret/);
    expect(sends(load({ ...endpoints, WEBHOOK_ENABLED: "false" }).config.webhooks)).toBe(false);
  });

  it.each([
    ["MONGODB_URI", "", /^MONGODB_URI: missing/],
    ["WEBHOOK_SECRETS", "hush", /^WEBHOOK_SECRETS: expected one secret for all endpoints/],
    ["WEBHOOK_ALLOW_PRIVATE", "local", /^WEBHOOK_ALLOW_PRIVATE: expected address ranges/],
    ["METRICS_PORT", "-1", /^METRICS_PORT: expected a port number, 0 to 65535, got "-1"$/],
  ])("refuses %s=%s in one line that shows no secret", (name, value, message) => {
    expect(() => load({ [name]: value })).toThrow(message);
    expect(() => load({ [name]: value })).not.toThrow(/hush/);
  });

  it("names what has no meaning any more, and nothing that other processes read", () => {
    for (const [name, reason] of unusedOriginalVariables.cluster) {
      expect(load({ [name]: "x" }).notices.map(({ text }) => text)).toEqual([
        `${name} is not used: ${reason}`,
      ]);
    }
    expect(load({ RABBITMQ_URI: "amqp://rabbit", CHAT21_EVENTS: "1", JWT_KEY: "s" }).notices).toEqual([]);
  });
});
