import {
  clusterSettings as cluster,
  defineSetting as define,
  httpUrlSchema,
  switchSchema,
  wholeNumberSchema,
} from "@chat21/runtime";
import * as z from "zod";

/** Every setting, by the name that the program uses for it. `docs/configuration.md` is tested to list the same. */
export const settings = {
  httpPort: {
    ...cluster.httpPort,
    flag: "http-port",
    meaning: "Port of the web page, REST under /api and WebSocket MQTT at /ws; 0 takes any free one.",
  },
  mqttPort: { ...cluster.mqttPort, flag: "mqtt-port" },
  mqttWsPort: { ...cluster.mqttWsPort, flag: "mqtt-ws-port" },
  host: {
    ...cluster.host,
    flag: "host",
    defaultText: "127.0.0.1",
    meaning:
      "Address to listen on. Anything but this machine's own loopback is production: no development sign-in.",
  },
  dataDir: define({
    names: ["CHAT21_DATA_DIR"],
    flag: "data-dir",
    schema: z.string(),
    defaultText: ".chat21",
    meaning: "Folder of the database and the secret; made when it is missing.",
  }),
  secret: {
    ...cluster.secret,
    defaultText: "made at first start, in the data folder",
    meaning: "Shared secret of HS256 tokens; tokens of an existing Chat21 verify with theirs.",
  },
  keysDir: {
    ...cluster.keysDir,
    meaning:
      "Folder of ES256 keys, <kid>.pem each: the private one whose name comes last signs, all verify, the secret still does.",
  },
  tokensWithoutExp: cluster.tokensWithoutExp,
  oidcIssuer: cluster.oidcIssuer,
  oidcAudience: cluster.oidcAudience,
  oidcJwksUrl: cluster.oidcJwksUrl,
  oidcApp: cluster.oidcApp,
  oidcUserClaim: cluster.oidcUserClaim,
  apps: { ...cluster.apps, flag: "apps" },
  development: define({
    names: ["CHAT21_DEV"],
    flag: "dev",
    schema: switchSchema,
    defaultText: "1 on loopback without a secret of your own, else 0",
    meaning:
      "Development sign-in: by name, without a password, from this machine only, by the address that the start prints.",
  }),
  tlsCert: {
    ...cluster.tlsCert,
    flag: "tls-cert",
    meaning: "Certificate chain (PEM file) for HTTPS, WebSocket and MQTT; needs CHAT21_TLS_KEY as well.",
  },
  tlsKey: {
    ...cluster.tlsKey,
    flag: "tls-key",
    meaning: "Private key (PEM file) of the certificate.",
  },
  diskReserveMiB: define({
    names: ["CHAT21_DISK_RESERVE_MIB"],
    schema: wholeNumberSchema(0, 1_073_741_824),
    defaultText: "256",
    meaning:
      "Room that is kept free on the data folder's disk. With less, messages and new groups are refused (storage_full), and reading goes on.",
  }),
  logLevel: { ...cluster.logLevel, flag: "log-level", defaultText: "INFO, at a terminal WARN" },
  presence: {
    ...cluster.presence,
    meaning: "Whether others and webhooks hear who is online; 0: nobody, and REST answers as if never seen.",
  },
  presenceGraceSeconds: cluster.presenceGraceSeconds,
  groupsFromMessages: cluster.groupsFromMessages,
  namesVisible: cluster.namesVisible,
  rateLimits: {
    ...cluster.rateLimits,
    meaning: "Whether what one user may send is limited; 0 or off is for benchmarks. Admins are not limited.",
  },
  sessionsPerUser: {
    ...cluster.sessionsPerUser,
    meaning: "MQTT sessions that one user may have open; one more is refused. Admins are not limited.",
  },
  messageCapacity: {
    ...cluster.messageCapacity,
    meaning: "Messages a sender may send in one burst; 30 when only the other is set.",
  },
  messageRefillPerMinute: cluster.messageRefillPerMinute,
  contactsUrl: cluster.contactsUrl,
  pathPrefix: {
    ...cluster.basePath,
    names: ["CHAT21_PATH_PREFIX"],
    defaultText: "none",
    meaning:
      "Path below which a reverse proxy shows the server, such as /chat, if it leaves it in the requests.",
  },
  basePath: {
    ...cluster.basePath,
    meaning: "Where REST begins; the web page and the commands expect /api.",
  },
  requestsPerMinute: {
    ...cluster.requestsPerMinute,
    meaning: "REST requests of one user in a minute; admins are not limited.",
  },
  authFailuresPerMinute: {
    ...cluster.authFailuresPerMinute,
    meaning:
      "Requests of one address in a minute, at REST and operators' paths together, that learn that their token or server key is missing or bad; further ones are told to wait.",
  },
  metricsToken: {
    ...cluster.metricsToken,
    meaning: "Bearer token for /metrics; without one everybody who reaches the server may read it.",
  },
  trustProxy: cluster.trustProxy,
  serverUrl: define({
    names: ["CHAT21_URL"],
    flag: "url",
    schema: httpUrlSchema,
    defaultText: "the server of the data folder",
    meaning: "Which server the commands talk to.",
  }),
  cliToken: define({
    names: ["CHAT21_TOKEN"],
    flag: "token",
    schema: z.string().trim().min(1),
    defaultText: "made from the secret",
    meaning: "Token the commands use, an admin's for most; for a server whose secret is not here.",
  }),
} as const;

/** Name of a setting inside the program. */
export type SettingName = keyof typeof settings;
