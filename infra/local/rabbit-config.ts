import { readFileSync } from "node:fs";
import type { RabbitSeries } from "./rabbit-installation.ts";

/** Ports of one broker, all on the loopback interface. */
export interface RabbitPorts {
  readonly amqp: number;
  readonly mqtt: number;
  readonly webMqtt: number;
  readonly management: number;
  readonly prometheus: number;
  /** Between Erlang nodes and tools. */
  readonly distribution: number;
  /** Of Erlang's port mapper: a private one, so that it ends with the broker. */
  readonly portMapper: number;
}

/** What deployments run as well. */
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
    // What a developer's disk has left is no reason to block publishers.
    "disk_free_limit.absolute = 50MB",
    // Tokens for clients, and guest for our own AMQP connections.
    "auth_backends.1 = rabbit_auth_backend_oauth2",
    "auth_backends.2 = rabbit_auth_backend_internal",
    "auth_oauth2.resource_server_id = rabbitmq",
  ].join("\n")}\n`;
}

/** `rabbitmq.conf` as deployments have it, but for ports, addresses and the room on the disk. */
export function deployedRabbitConfig(series: RabbitSeries, ports: RabbitPorts): string {
  const own = new Set(rabbitConfig(ports).trim().split("\n"));
  const keyOf = (line: string) => line.split(" = ")[0]?.replace(/[.](default|1|absolute)$/, "") ?? "";
  const replaced = new Set([...own].map(keyOf));
  const kept = deployed(series, "rabbitmq.conf")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#") && !replaced.has(keyOf(line)));
  return `${[...own, ...kept].join("\n")}\n`;
}

/** An Erlang binary of any text. */
const binary = (text: string) => `<<${[...Buffer.from(text)].join(",")}>>`;

/** What verifies tokens. */
export interface RabbitKeys {
  /** HS256, for tokens that name no key. */
  readonly jwtSecret: string;
  /** ES256: PEM of public keys by `kid`. @default none */
  readonly jwtKeys?: Readonly<Record<string, string>>;
}

/** `advanced.config`: the deployments' own, with these keys. What `render-advanced-config.sh` does there. */
export function rabbitAdvancedConfig(series: RabbitSeries, { jwtSecret, jwtKeys = {} }: RabbitKeys): string {
  const secret = `{map, #{<<"kty">> => <<"MAC">>, <<"alg">> => <<"HS256">>, <<"value">> => ${binary(jwtSecret)}}}`;
  const keys = [`<<"chat21">> => ${secret}`].concat(
    Object.entries(jwtKeys).map(([kid, pem]) => `${binary(kid)} => {pem, ${binary(pem)}}`),
  );
  return deployed(series, "advanced.config")
    .replace("@SIGNING_KEYS@", () => keys.join(", "))
    .replace(/@JWKS_UR[IL]@/g, "");
}
