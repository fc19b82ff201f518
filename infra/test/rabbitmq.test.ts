import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { definitions } from "../../packages/broker-amqp/src/index.ts";
import { enabledPlugins, rabbitConfig } from "../local/rabbit-config.ts";

const read = (path: string) => readFileSync(new URL(`../rabbitmq/${path}`, import.meta.url), "utf8");

function settings(text: string): Map<string, string> {
  const lines = text.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("#"));
  return new Map(lines.map((line) => line.split(" = ", 2) as [string, string]));
}

const old = settings(read("3.10/rabbitmq.conf"));
const current = settings(read("4/rabbitmq.conf"));
const local = settings(
  rabbitConfig({
    amqp: 1,
    mqtt: 2,
    webMqtt: 3,
    management: 4,
    prometheus: 5,
    distribution: 6,
    portMapper: 7,
  }),
);

test("both versions have the plugins that contributors have", () => {
  expect(enabledPlugins("4")).toBe(enabledPlugins("3.10"));
  for (const plugin of [
    "auth_backend_oauth2",
    "consistent_hash_exchange",
    "event_exchange",
    "mqtt",
    "web_mqtt",
  ]) {
    expect(enabledPlugins("4")).toContain(`rabbitmq_${plugin}`);
  }
});

test("the versions differ only in the settings that docs/cluster.md names", () => {
  const different = [...new Set([...old.keys(), ...current.keys()])].filter(
    (key) => old.get(key) !== current.get(key),
  );

  expect(different.sort()).toEqual([
    "auth_oauth2.preferred_username_claims.1",
    "deprecated_features.permit.management_metrics_collection",
    "mqtt.max_packet_size_authenticated",
    "mqtt.max_session_expiry_interval_seconds",
    "mqtt.subscription_ttl",
  ]);
  const docs = readFileSync(new URL("../../docs/cluster.md", import.meta.url), "utf8");
  for (const key of different) expect(docs).toContain(key);
});

test.each([
  ["3.10", old],
  ["4", current],
])(
  "%s refuses clients without token or password, and clients publish to our exchange",
  (_version, config) => {
    expect(config.get("mqtt.allow_anonymous")).toBe("false");
    expect(config.get("mqtt.exchange")).toBe("amq.topic");
    expect(config.get("auth_oauth2.resource_server_id")).toBe("rabbitmq");
    expect([1, 2].map((n) => config.get(`auth_backends.${n}`))).toEqual([
      "rabbit_auth_backend_oauth2",
      "rabbit_auth_backend_internal",
    ]);
    expect([...config.keys()].filter((key) => /default_(user|pass)$/.test(key))).toEqual([]);
  },
);

test("the contributors' broker treats clients as the deployed one does", () => {
  for (const key of [...local.keys()].filter((name) =>
    /^(mqtt\.(vhost|exchange|allow)|auth_|web_mqtt\.ws_path)/.test(name),
  )) {
    expect(local.get(key), key).toBe(old.get(key));
  }
});

test.each(["3.10", "4"])("%s pins the algorithms, and its keys come from outside", (version) => {
  const template = read(`${version}/advanced.config`);

  expect(template).toContain('{algorithms, [<<"HS256">>, <<"ES256">>]}');
  expect(template).toContain("{signing_keys, #{@SIGNING_KEYS@}}");
  expect(template.includes("@JWKS_URI@")).toBe(version === "4");
});

test("definitions.json is what the code declares", () => {
  expect(JSON.parse(read("definitions.json"))).toEqual(definitions());
});
