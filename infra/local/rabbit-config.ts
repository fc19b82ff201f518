import { readFileSync } from "node:fs";
import type { RabbitSeries } from "./rabbit-installation.ts";

/** The ports of one broker, all on the loopback interface. */
export interface RabbitPorts {
  readonly amqp: number;
  readonly mqtt: number;
  readonly webMqtt: number;
  readonly management: number;
  readonly prometheus: number;
  /** Port between Erlang nodes and tools. */
  readonly distribution: number;
  /** Port of Erlang's port mapper. The broker has its own mapper, which ends with it. */
  readonly portMapper: number;
}

/** Reads a configuration file of the deployments. */
const deployed = (series: RabbitSeries, file: string) =>
  readFileSync(new URL(`../rabbitmq/${series}/${file}`, import.meta.url), "utf8");

/** `enabled_plugins`. */
export const enabledPlugins = (series: RabbitSeries) => deployed(series, "enabled_plugins");

/** `rabbitmq.conf`. */
export function rabbitConfig({ amqp, mqtt, webMqtt, management, prometheus }: RabbitPorts): string {
  return `${[
    `listeners.tcp.1 = 127.0.0.1:${amqp}`,
    `mqtt.listeners.tcp.1 = 127.0.0.1:${mqtt}`,
    "mqtt.vhost = /",
    "mqtt.exchange = amq.topic",
    "mqtt.allow_anonymous = false",
    "web_mqtt.tcp.ip = 127.0.0.1",
    `web_mqtt.tcp.port = ${webMqtt}`,
    "web_mqtt.ws_path = /ws",
    "management.tcp.ip = 127.0.0.1",
    `management.tcp.port = ${management}`,
    "prometheus.tcp.ip = 127.0.0.1",
    `prometheus.tcp.port = ${prometheus}`,
    // A small free space on a developer's disk must not block publishers.
    "disk_free_limit.absolute = 50MB",
    // Clients use tokens. Our own AMQP connections use guest.
    "auth_backends.1 = rabbit_auth_backend_oauth2",
    "auth_backends.2 = rabbit_auth_backend_internal",
    "auth_oauth2.resource_server_id = rabbitmq",
  ].join("\n")}\n`;
}

/** The `rabbitmq.conf` of deployments, with other ports, addresses and disk limit. */
export function deployedRabbitConfig(series: RabbitSeries, ports: RabbitPorts): string {
  const own = new Set(rabbitConfig(ports).trim().split("\n"));
  const keyOf = (line: string) => line.split(" = ")[0]?.replace(/[.](default|1|absolute)$/, "") ?? "";
  const replaced = new Set([...own].map(keyOf));
  const kept = deployed(series, "rabbitmq.conf")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#") && !replaced.has(keyOf(line)));
  return `${[...own, ...kept].join("\n")}\n`;
}

/** Writes any text as an Erlang binary. */
const binary = (text: string) => `<<${[...Buffer.from(text)].join(",")}>>`;

/** The keys that verify tokens. */
export interface RabbitKeys {
  /** HS256 secret, for tokens without a key name. */
  readonly jwtSecret: string;
  /** ES256 public keys in PEM, by `kid`. @default none */
  readonly jwtKeys?: Readonly<Record<string, string>>;
}

/** The `advanced.config` of deployments with these keys. It does the work of `render-advanced-config.sh`. */
export function rabbitAdvancedConfig(series: RabbitSeries, { jwtSecret, jwtKeys = {} }: RabbitKeys): string {
  const secret = `{map, #{<<"kty">> => <<"MAC">>, <<"alg">> => <<"HS256">>, <<"value">> => ${binary(jwtSecret)}}}`;
  const keys = [`<<"chat21">> => ${secret}`].concat(
    Object.entries(jwtKeys).map(([kid, pem]) => `${binary(kid)} => {pem, ${binary(pem)}}`),
  );
  return deployed(series, "advanced.config")
    .replace("@SIGNING_KEYS@", () => keys.join(", "))
    .replace(/@JWKS_UR[IL]@/g, "");
}
