import { resolve } from "node:path";
import { unusedOriginalVariables } from "@chat21/original";
import { OperatorError } from "@chat21/runtime";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../src/config.ts";
import { loadNodeConfig } from "../src/node/config.ts";

const texts = (environment: Record<string, string>) =>
  loadConfig({}, environment).notices.map((notice) => notice.text);

describe("the configuration", () => {
  it("has the documented defaults", () => {
    const { config, notices } = loadConfig({}, {});

    expect(config).toMatchObject({
      httpPort: 8010,
      mqttPort: 1883,
      mqttWsPort: null,
      host: "127.0.0.1",
      dataDir: resolve(".chat21"),
      secret: undefined,
      apps: undefined,
      development: true,
      tls: undefined,
      logLevel: undefined,
      presence: true,
      namesVisible: true,
      pathPrefix: "",
      presenceGraceMs: 5_000,
      rateLimits: true,
      sessionsPerUser: undefined,
      messageRate: undefined,
    });
    expect(notices).toEqual([]);
  });

  it("reads every variable", () => {
    const { config } = loadConfig(
      {},
      {
        CHAT21_HTTP_PORT: "0",
        CHAT21_MQTT_PORT: "off",
        CHAT21_MQTT_WS_PORT: "15675",
        CHAT21_HOST: "::1",
        CHAT21_DATA_DIR: "/data",
        CHAT21_JWT_SECRET: "s",
        CHAT21_APPS: " one, two ,",
        CHAT21_DEV: "no",
        CHAT21_TLS_CERT: "c.pem",
        CHAT21_TLS_KEY: "k.pem",
        LOG_LEVEL: "verbose",
        PRESENCE_ENABLED: "false",
        BUCKET_MSG_CAPACITY: "60",
        CONTACTS_LOOKUP_ENDPOINT: "https://contacts.example/users",
        CHAT21_URL: "https://chat.example",
        WEBHOOK_ENDPOINTS: "https://hooks.example/",
      },
    );

    expect(config).toMatchObject({
      httpPort: 0,
      mqttPort: null,
      mqttWsPort: 15675,
      host: "::1",
      dataDir: "/data",
      secret: "s",
      apps: ["one", "two"],
      development: false,
      tls: { cert: "c.pem", key: "k.pem" },
      logLevel: "VERBOSE",
      presence: false,
      messageRate: { capacity: 60, refillPerMinute: 30 },
      contactsUrl: "https://contacts.example/users",
      serverUrl: "https://chat.example",
      webhooks: { WEBHOOK_ENDPOINTS: "https://hooks.example/" },
    });
  });

  it("takes the names of existing deployments", () => {
    const { config } = loadConfig(
      {},
      { JWT_KEY: "tokenKey", PORT: "8004", APP_ID: "tilechat", CERT_PEM: "c", KEY_PEM: "k" },
    );

    expect(config).toMatchObject({
      secret: "tokenKey",
      httpPort: 8004,
      apps: ["tilechat"],
      tls: { cert: "c", key: "k" },
    });
  });

  it("lets the command line win over the environment", () => {
    const { config } = loadConfig(
      { httpPort: "9000", development: "0" },
      { CHAT21_HTTP_PORT: "1", CHAT21_DEV: "1" },
    );

    expect(config).toMatchObject({ httpPort: 9000, development: false });
  });

  it("counts an empty value as not set", () => {
    expect(loadConfig({}, { CHAT21_HTTP_PORT: "", CHAT21_JWT_SECRET: "" }).config).toMatchObject({
      httpPort: 8010,
      secret: undefined,
    });
  });

  it.each([
    ["CHAT21_HTTP_PORT", "80x", 'CHAT21_HTTP_PORT: expected a port number, 0 to 65535, got "80x"'],
    ["CHAT21_HTTP_PORT", "65536", 'CHAT21_HTTP_PORT: expected a port number, 0 to 65535, got "65536"'],
    ["CHAT21_MQTT_PORT", "-1", 'CHAT21_MQTT_PORT: expected a port number, 0 to 65535, or off, got "-1"'],
    ["CHAT21_DEV", "maybe", 'CHAT21_DEV: expected 1, 0, true, false, on, off, yes or no, got "maybe"'],
    [
      "CHAT21_HOST",
      "a b",
      'CHAT21_HOST: expected an address of this machine, such as 127.0.0.1 or 0.0.0.0, got "a b"',
    ],
    ["LOG_LEVEL", "LOUD", 'LOG_LEVEL: expected ERROR, WARN, INFO, VERBOSE, DEBUG, got "LOUD"'],
    ["BUCKET_MSG_CAPACITY", "0", 'BUCKET_MSG_CAPACITY: expected a whole number, 1 to 1000000, got "0"'],
    [
      "CHAT21_URL",
      "ftp://x",
      'CHAT21_URL: expected an address that begins with http:// or https://, got "ftp://x"',
    ],
    ["CHAT21_TLS_CERT", "c.pem", "CHAT21_TLS_KEY: missing, although CHAT21_TLS_CERT is set"],
    ["KEY_PEM", "k.pem", "CHAT21_TLS_CERT: missing, although CHAT21_TLS_KEY is set"],
  ])("refuses %s=%s in one line that says what is expected", (name, value, message) => {
    expect(() => loadConfig({}, { [name]: value })).toThrow(new OperatorError(message));
  });

  it("says which option a bad value came from, and never shows a whole novel", () => {
    expect(() => loadConfig({ httpPort: "x".repeat(500) }, {})).toThrow(/^--http-port: .{0,150}$/);
  });

  it.each(["127.0.0.1", "127.1.2.3", "::1", "localhost", "[::1]"])("is for development on %s", (host) => {
    expect(loadConfig({}, { CHAT21_HOST: host }).config.development).toBe(true);
  });

  it.each(["0.0.0.0", "::", "192.168.1.5", "chat.example"])(
    "is for production on %s, and says so",
    (host) => {
      for (const wanted of ["", "1"]) {
        const { config, notices } = loadConfig({}, { CHAT21_HOST: host, CHAT21_DEV: wanted });

        expect(config.development).toBe(false);
        expect(notices).toMatchObject([
          { level: "warn", text: expect.stringContaining("development sign-in") },
        ]);
      }
    },
  );

  it("names variables of existing deployments that have no effect, with the reason", () => {
    for (const [name, reason] of unusedOriginalVariables.server) {
      expect(texts({ [name]: "x" })).toEqual([`${name} is not used: ${reason}`]);
    }
  });

  it("asks back about variables it does not know", () => {
    expect(texts({ CHAT21_HTP_PORT: "1" })).toEqual([
      "CHAT21_HTP_PORT is not a setting; did you mean CHAT21_HTTP_PORT?",
    ]);
    expect(texts({ CHAT21_COFFEE_STRENGTH: "1" })).toEqual(["CHAT21_COFFEE_STRENGTH is not a setting"]);
    expect(texts({ PATH: "/bin", HOME: "/" })).toEqual([]);
  });

  it("says which of two names wins when they disagree", () => {
    expect(texts({ CHAT21_JWT_SECRET: "a", JWT_KEY: "b" })).toEqual([
      "JWT_KEY is not used: CHAT21_JWT_SECRET is set as well and wins",
    ]);
    expect(texts({ CHAT21_JWT_SECRET: "a", JWT_KEY: "a" })).toEqual([]);
  });

  it("never shows a secret", () => {
    const { notices } = loadConfig({}, { CHAT21_JWT_SECRET: "hush-1", JWT_KEY: "hush-2" });

    expect(JSON.stringify(notices)).not.toContain("hush");
  });
});

describe("the configuration of a node", () => {
  const needed = {
    RABBITMQ_URI: "amqp://rabbit",
    MONGODB_URI: "mongodb://mongo/chat21",
    JWT_KEY: "0123456789abcdef0123456789abcdef",
  };

  it("takes options of the command line before variables", () => {
    const environment = { ...needed, CHAT21_HTTP_PORT: "8010", CHAT21_HOST: "127.0.0.1", CHAT21_APPS: "a" };

    const { config } = loadNodeConfig({ httpPort: "8011", mqttPort: "off", apps: "b,c" }, environment);

    expect(config).toMatchObject({ httpPort: 8011, mqttPort: null, host: "127.0.0.1", apps: ["b", "c"] });
  });

  it("names the option that cannot be used", () => {
    expect(() => loadNodeConfig({ httpPort: "many" }, needed)).toThrow(
      /^--http-port: expected a port number/,
    );
    expect(() => loadNodeConfig({ logLevel: "LOUD" }, needed)).toThrow(/^--log-level: /);
  });
});
