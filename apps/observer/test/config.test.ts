import { unusedOriginalVariables } from "@chat21/original";
import { webhookEvents } from "@chat21/protocol";
import { OperatorError, usualEvents } from "@chat21/runtime";
import { describe, expect, it } from "vitest";
import { loadObserverConfig } from "../src/config.ts";

const needed = { RABBITMQ_URI: "amqp://guest:guest@rabbit:5672", MONGODB_URI: "mongodb://mongo/chat21" };
const load = (environment: Record<string, string> = {}) => loadObserverConfig({ ...needed, ...environment });
const texts = (environment: Record<string, string>) => load(environment).notices.map((notice) => notice.text);

describe("the observer's configuration", () => {
  it("has the documented defaults where only the two addresses are given", () => {
    const { config, notices } = load();

    expect(config).toEqual({
      rabbitUri: needed.RABBITMQ_URI,
      mongoUri: needed.MONGODB_URI,
      apps: undefined,
      migrate: true,
      host: "0.0.0.0",
      metricsPort: 9090,
      metricsToken: undefined,
      logLevel: "INFO",
      startTimeoutMs: 60_000,
      presence: true,
      presenceGraceMs: 5_000,
      events: usualEvents,
      prefetch: undefined,
      queueType: "classic",
      keepOriginalQueues: false,
      rateLimits: true,
      messageRate: undefined,
      contactsUrl: undefined,
      webhooks: expect.objectContaining({ enabled: true, endpoints: [] }),
      proxies: { http: "", https: "", except: "" },
    });
    expect(notices).toEqual([]);
  });

  it("understands every variable of an existing observer", () => {
    const { config } = load({
      APP_ID: "tilechat",
      RABBITMQ_URI: "amqp://ignored:token@broker:5672?heartbeat=60",
      MONGODB_URI: "mongodb+srv://cluster.example/chat21",
      WEBHOOK_ENABLED: "true",
      WEBHOOK_ENDPOINTS: "https://one.example/hook, https://two.example/",
      WEBHOOK_EVENTS: "message-sent, message-delivered",
      PRESENCE_ENABLED: "false",
      PREFETCH_MESSAGES: "20",
      AUTO_RESTART: "false",
      LOG_LEVEL: "verbose",
      METRICS_PORT: "9191",
      BUCKET_MSG_CAPACITY: "60",
      BUCKET_MSG_REFILL_RATE_PER_MIN: "90",
    });

    expect(config).toMatchObject({
      apps: ["tilechat"],
      rabbitUri: "amqp://ignored:token@broker:5672?heartbeat=60",
      mongoUri: "mongodb+srv://cluster.example/chat21",
      webhooks: {
        enabled: true,
        endpoints: [{ url: "https://one.example/hook" }, { url: "https://two.example/" }],
        events: ["message-sent", "message-delivered"],
      },
      presence: false,
      prefetch: 20,
      startTimeoutMs: 0,
      logLevel: "VERBOSE",
      metricsPort: 9191,
      messageRate: { capacity: 60, refillPerMinute: 90 },
    });
  });

  it.each([
    ["1", usualEvents],
    ["off", []],
    ["all", webhookEvents],
    ["message-sent, presence-change", ["message-sent", "presence-change"]],
  ])("publishes the events that CHAT21_EVENTS=%s names", (text, events) => {
    expect(load({ CHAT21_EVENTS: text }).config.events).toEqual(events);
    expect(usualEvents).not.toContain("message-delivered");
  });

  it("says which events there are when it is asked for another", () => {
    expect(() => load({ CHAT21_EVENTS: "message-sent,typing" })).toThrow(
      /CHAT21_EVENTS: expected 1, 0, all, or some of message-sent/,
    );
  });

  it("reads its own variables", () => {
    const { config } = load({
      CHAT21_APPS: "one, two",
      CHAT21_EVENTS: "off",
      CHAT21_HOST: "127.0.0.1",
      CHAT21_KEEP_LEGACY_QUEUES: "yes",
      CHAT21_METRICS_TOKEN: "t",
      CHAT21_MIGRATE: "0",
      CHAT21_QUEUE_TYPE: "quorum",
      CHAT21_START_TIMEOUT_SECONDS: "5",
      CONTACTS_LOOKUP_ENDPOINT: "https://contacts.example/users",
    });

    expect(config).toMatchObject({
      apps: ["one", "two"],
      events: [],
      host: "127.0.0.1",
      keepOriginalQueues: true,
      metricsToken: "t",
      migrate: false,
      queueType: "quorum",
      startTimeoutMs: 5_000,
      contactsUrl: "https://contacts.example/users",
    });
  });

  it.each([
    ["RABBITMQ_URI", "", /^RABBITMQ_URI: missing; RabbitMQ: amqp:\/\//],
    ["MONGODB_URI", "", /^MONGODB_URI: missing; MongoDB, a replica set/],
    ["RABBITMQ_URI", "http://u:hush@rabbit", /^RABBITMQ_URI: expected an address that begins with amqp:/],
    ["MONGODB_URI", "hush@mongo:27017", /^MONGODB_URI: expected an address that begins with mongodb:/],
    ["METRICS_PORT", "x", /^METRICS_PORT: expected a port number, 0 to 65535, got "x"$/],
    ["PREFETCH_MESSAGES", "many", /^PREFETCH_MESSAGES: expected a whole number, 1 to 65535, got "many"$/],
    ["PRESENCE_ENABLED", "maybe", /^PRESENCE_ENABLED: expected 1, 0, true/],
    ["APP_ID", "a/b", /^APP_ID: expected app ids between commas/],
    ["CHAT21_QUEUE_TYPE", "mirrored", /^CHAT21_QUEUE_TYPE: expected classic or quorum, got "mirrored"$/],
    ["WEBHOOK_ENDPOINTS", "hooks.example", /^WEBHOOK_ENDPOINTS: expected addresses that begin with http/],
    ["WEBHOOK_EVENTS", "message-send", /^WEBHOOK_EVENTS: expected names between commas/],
  ])("refuses %s=%s in one line that shows no secret", (name, value, message) => {
    expect(() => load({ [name]: value })).toThrow(OperatorError);
    expect(() => load({ [name]: value })).toThrow(message);
    expect(() => load({ [name]: value })).not.toThrow(/hush/);
  });

  it("names what has no meaning any more once, with the reason", () => {
    for (const [name, reason] of unusedOriginalVariables.cluster) {
      expect(texts({ [name]: "x" })).toEqual([`${name} is not used: ${reason}`]);
    }
  });

  it("says nothing of what other processes read from the same file, and asks back about slips", () => {
    expect(texts({ CHAT21_HTTP_PORT: "8010", JWT_KEY: "s", BASEURL: "/api", PATH: "/bin" })).toEqual([]);
    expect(texts({ CHAT21_EVENT: "1", WEBHOOK_EVENT: "all" })).toEqual([
      "CHAT21_EVENT is not a setting; did you mean CHAT21_EVENTS?",
      "WEBHOOK_EVENT is not a setting; did you mean WEBHOOK_EVENTS?",
    ]);
  });
});
