import {
  appsSchema,
  basePathSchema,
  clusterSettings,
  defineSetting as define,
  hostSchema,
  httpUrlSchema,
  logLevelSchema,
  logLevels,
  optionalPortSchema,
  portSchema,
  switchSchema,
  wholeNumberSchema,
} from "@chat21/runtime";
import * as z from "zod";

/** Every setting, by the name that the program uses for it. `docs/configuration.md` is tested to list the same. */
export const settings = {
  httpPort: define({
    names: ["CHAT21_HTTP_PORT", "PORT"],
    flag: "http-port",
    schema: portSchema,
    defaultText: "8010",
    meaning: "Port of the web page, REST under /api and WebSocket MQTT at /ws; 0 takes any free one.",
  }),
  mqttPort: define({
    names: ["CHAT21_MQTT_PORT"],
    flag: "mqtt-port",
    schema: optionalPortSchema,
    defaultText: "1883",
    meaning: "Port of MQTT over TCP; off for none.",
  }),
  mqttWsPort: define({
    names: ["CHAT21_MQTT_WS_PORT"],
    flag: "mqtt-ws-port",
    schema: optionalPortSchema,
    defaultText: "off",
    meaning: "One more port for WebSocket MQTT, path /ws; old clients expect 15675.",
  }),
  host: define({
    names: ["CHAT21_HOST"],
    flag: "host",
    schema: hostSchema,
    defaultText: "127.0.0.1",
    meaning:
      "Address to listen on. Anything but this machine's own loopback is production: no development sign-in.",
  }),
  dataDir: define({
    names: ["CHAT21_DATA_DIR"],
    flag: "data-dir",
    schema: z.string(),
    defaultText: ".chat21",
    meaning: "Folder of the database and the secret; made when it is missing.",
  }),
  secret: define({
    names: ["CHAT21_JWT_SECRET", "JWT_KEY"],
    schema: z.string(),
    defaultText: "made at first start, in the data folder",
    meaning: "Shared secret of HS256 tokens; tokens of an existing Chat21 verify with theirs.",
    isSecret: true,
  }),
  keysDir: define({
    names: ["CHAT21_JWT_KEYS_DIR"],
    schema: z.string(),
    defaultText: "none: tokens are signed with the secret",
    meaning:
      "Folder of ES256 keys, <kid>.pem each: the private one whose name comes last signs, all verify, the secret still does.",
  }),
  apps: define({
    names: ["CHAT21_APPS", "APP_ID"],
    flag: "apps",
    schema: appsSchema,
    defaultText: "any",
    meaning: "App ids that are served, between commas.",
  }),
  development: define({
    names: ["CHAT21_DEV"],
    flag: "dev",
    schema: switchSchema,
    defaultText: "1 on loopback, else 0",
    meaning: "Development sign-in: by name, without a password, from this machine only.",
  }),
  tlsCert: define({
    names: ["CHAT21_TLS_CERT", "CERT_PEM"],
    flag: "tls-cert",
    schema: z.string(),
    defaultText: "none",
    meaning: "Certificate chain (PEM file) for HTTPS, WebSocket and MQTT; needs CHAT21_TLS_KEY as well.",
  }),
  tlsKey: define({
    names: ["CHAT21_TLS_KEY", "KEY_PEM"],
    flag: "tls-key",
    schema: z.string(),
    defaultText: "none",
    meaning: "Private key (PEM file) of the certificate.",
  }),
  logLevel: define({
    names: ["LOG_LEVEL"],
    flag: "log-level",
    schema: logLevelSchema,
    defaultText: "INFO, at a terminal WARN",
    meaning: `What is logged: ${logLevels.join(", ")}.`,
  }),
  presence: define({
    names: ["PRESENCE_ENABLED"],
    schema: switchSchema,
    defaultText: "1",
    meaning: "Whether others and webhooks hear who is online.",
  }),
  messageCapacity: define({
    names: ["BUCKET_MSG_CAPACITY"],
    schema: wholeNumberSchema(1, 1_000_000),
    defaultText: "no limit",
    meaning:
      "Messages a sender may send in one burst; setting either BUCKET_MSG_ variable turns the limit on.",
  }),
  messageRefillPerMinute: clusterSettings.messageRefillPerMinute,
  contactsUrl: clusterSettings.contactsUrl,
  basePath: define({
    names: ["BASEURL"],
    schema: basePathSchema,
    defaultText: "/api",
    meaning: "Where REST begins; the web page and the commands expect /api.",
  }),
  requestsPerMinute: define({
    names: ["CHAT21_REQUESTS_PER_MINUTE"],
    schema: wholeNumberSchema(1, 1_000_000),
    defaultText: "600",
    meaning: "REST requests of one user in a minute; admins are not limited.",
  }),
  metricsToken: define({
    names: ["CHAT21_METRICS_TOKEN"],
    schema: z.string(),
    defaultText: "none",
    meaning: "Bearer token for /metrics; without one everybody who reaches the server may read it.",
    isSecret: true,
  }),
  trustProxy: clusterSettings.trustProxy,
  serverUrl: define({
    names: ["CHAT21_URL"],
    flag: "url",
    schema: httpUrlSchema,
    defaultText: "the server of the data folder",
    meaning: "Which server the commands talk to.",
  }),
} as const;

/** Name of a setting inside the program. */
export type SettingName = keyof typeof settings;
