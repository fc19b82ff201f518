import { usualWebhookEvents, type WebhookEvent, webhookEvents } from "@chat21/protocol";
import * as z from "zod";
import { logLevels } from "./log.ts";
import {
  appSchema,
  appsSchema,
  basePathSchema,
  defineSetting as define,
  groupBeginningsSchema,
  hostSchema,
  httpUrlSchema,
  listSchema,
  logLevelSchema,
  optionalPortSchema,
  portSchema,
  switchSchema,
  trustProxySchema,
  wholeNumberSchema,
} from "./setting.ts";

const uriSchema = (schemes: readonly string[]) =>
  z
    .string()
    .trim()
    .refine((text) => schemes.some((scheme) => text.startsWith(scheme) && text.length > scheme.length), {
      error: `expected an address that begins with ${schemes.join(" or ")}`,
    });

/** One event for each message, not one for each inbox: `all` asks for those, too. */
export const usualEvents = usualWebhookEvents.filter((event) => event !== "message-delivered");

const eventsSchema = z.string().transform((text, context): readonly WebhookEvent[] => {
  const words = text.split(",").map((word) => word.trim());
  const [word = ""] = words;
  if (words.length === 1 && word === "all") return webhookEvents;
  if (words.length === 1 && switchSchema.safeParse(word).success) {
    return switchSchema.parse(word) ? usualEvents : [];
  }
  const named = webhookEvents.filter((event) => words.includes(event));
  if (named.length === words.length) return named;
  context.addIssue({
    code: "custom",
    message: `expected 1, 0, all, or some of ${webhookEvents.join(", ")} between commas`,
  });
  return z.NEVER;
});

/**
 * Settings of the cluster's processes; each has a table with those it reads. They stand together because one file of
 * variables often serves a whole deployment: a variable that only another process reads is no mistake.
 */
export const clusterSettings = {
  mongoUri: define({
    names: ["MONGODB_URI"],
    schema: uriSchema(["mongodb://", "mongodb+srv://"]),
    defaultText: "required",
    meaning: "MongoDB, a replica set or a sharded cluster: mongodb://host:27017/chat21.",
    isSecret: true,
  }),
  rabbitUri: define({
    names: ["RABBITMQ_URI"],
    schema: uriSchema(["amqp://", "amqps://"]),
    defaultText: "required",
    meaning: "RabbitMQ: amqp://user:password@host:5672; a token of an admin may be the password.",
    isSecret: true,
  }),
  secret: define({
    names: ["CHAT21_JWT_SECRET", "JWT_KEY"],
    schema: z.string(),
    defaultText: "required",
    meaning: "Shared secret of HS256 tokens, the same one that RabbitMQ verifies them with.",
    isSecret: true,
  }),
  keysDir: define({
    names: ["CHAT21_JWT_KEYS_DIR"],
    schema: z.string(),
    defaultText: "none: tokens are signed with the secret",
    meaning:
      "Folder of ES256 keys, <kid>.pem each: the private one whose name comes last signs, all verify. RabbitMQ needs their public halves.",
  }),
  tokensWithoutExp: define({
    names: ["CHAT21_TOKENS_WITHOUT_EXP"],
    schema: switchSchema,
    defaultText: "0",
    meaning:
      "Accepts tokens of other issuers that have no exp: they never end, and only a revocation stops them.",
  }),
  oidcIssuer: define({
    names: ["CHAT21_OIDC_ISSUER"],
    schema: httpUrlSchema,
    defaultText: "none",
    meaning:
      "Identity provider (OpenID Connect) whose tokens count, too: the exact iss of its tokens, an https address.",
  }),
  oidcAudience: define({
    names: ["CHAT21_OIDC_AUDIENCE"],
    schema: listSchema.refine((names) => names.length > 0, { error: "expected names between commas" }),
    defaultText: "required with CHAT21_OIDC_ISSUER",
    meaning:
      "What aud of such a token must name, one of these between commas: mostly the client id at the provider.",
  }),
  oidcJwksUrl: define({
    names: ["CHAT21_OIDC_JWKS_URL"],
    schema: httpUrlSchema,
    defaultText: "what the provider's configuration says",
    meaning: "Address of the provider's keys (JWKS).",
  }),
  oidcApp: define({
    names: ["CHAT21_OIDC_APP"],
    schema: appSchema,
    defaultText: "the only app of CHAT21_APPS, else tilechat",
    meaning: "App that the provider's users belong to.",
  }),
  oidcUserClaim: define({
    names: ["CHAT21_OIDC_USER_CLAIM"],
    schema: z.string().trim().min(1),
    defaultText: "sub",
    meaning: "Claim with the user's id. email counts only if the provider has verified it.",
  }),
  apps: define({
    names: ["CHAT21_APPS", "APP_ID"],
    schema: appsSchema,
    defaultText: "any",
    meaning: "App ids that are served, between commas.",
  }),
  groupsFromMessages: define({
    names: ["CHAT21_GROUPS_FROM_MESSAGES"],
    schema: groupBeginningsSchema,
    defaultText: "support-group-",
    meaning:
      "How ids of groups begin that a first message makes, between commas; a message to any other unknown group is refused. off for none.",
  }),
  host: define({
    names: ["CHAT21_HOST"],
    schema: hostSchema,
    defaultText: "0.0.0.0",
    meaning: "Address to listen on.",
  }),
  httpPort: define({
    names: ["CHAT21_HTTP_PORT", "PORT"],
    schema: portSchema,
    defaultText: "8010",
    meaning: "Port of REST, health and metrics; existing deployments have PORT=8004. 0 takes any free one.",
  }),
  metricsPort: define({
    names: ["METRICS_PORT"],
    schema: portSchema,
    defaultText: "9090",
    meaning: "Port of /healthz, /readyz and /metrics; 0 takes any free one.",
  }),
  metricsToken: define({
    names: ["CHAT21_METRICS_TOKEN"],
    schema: z.string(),
    defaultText: "none",
    meaning: "Bearer token for /metrics; without one everybody who reaches the port may read it.",
    isSecret: true,
  }),
  logLevel: define({
    names: ["LOG_LEVEL"],
    schema: logLevelSchema,
    defaultText: "INFO",
    meaning: `What is logged: ${logLevels.join(", ")}.`,
  }),
  presence: define({
    names: ["PRESENCE_ENABLED"],
    schema: switchSchema,
    defaultText: "1",
    meaning:
      "Whether others, webhooks and queues hear who is online; 0: nobody, and REST answers as if never seen.",
  }),
  namesVisible: define({
    names: ["CHAT21_NAMES_VISIBLE"],
    schema: switchSchema,
    defaultText: "1",
    meaning: "Whether users may read the names of people they share no conversation with.",
  }),
  presenceGraceSeconds: define({
    names: ["PRESENCE_GRACE_SECONDS"],
    schema: wholeNumberSchema(0, 60),
    defaultText: "5",
    meaning: "How long somebody may be gone before others hear of it; who is back by then was never away.",
  }),
  events: define({
    names: ["CHAT21_EVENTS"],
    schema: eventsSchema,
    defaultText: "1",
    meaning:
      "Events that are published to the exchange chat21.events: names between commas, 0 for none, 1 for all but message-delivered (one for each inbox), all.",
  }),
  queueType: define({
    names: ["CHAT21_QUEUE_TYPE"],
    schema: z.enum(["classic", "quorum"], { error: "expected classic or quorum" }),
    defaultText: "classic",
    meaning: "Of the partitions' queues: classic is fast, quorum survives the loss of a node of RabbitMQ.",
  }),
  keepOriginalQueues: define({
    names: ["CHAT21_KEEP_LEGACY_QUEUES"],
    schema: switchSchema,
    defaultText: "0",
    meaning:
      "Leaves the queues of an original Chat21 bound; else they are drained and deleted at the first start.",
  }),
  prefetch: define({
    names: ["PREFETCH_MESSAGES"],
    schema: wholeNumberSchema(1, 65_535),
    defaultText: "500",
    meaning: "Messages of one partition that may be under way at a time.",
  }),
  rateLimits: define({
    names: ["CHAT21_RATE_LIMITS"],
    schema: switchSchema,
    defaultText: "1",
    meaning:
      "Whether what one user may send is limited, per process; 0 or off is for benchmarks. Admins are not limited.",
  }),
  sessionsPerUser: define({
    names: ["CHAT21_SESSIONS_PER_USER"],
    schema: wholeNumberSchema(1, 1_000_000),
    defaultText: "32",
    meaning:
      "MQTT sessions that one user may have open, per process; one more is refused. Admins are not limited.",
  }),
  messageCapacity: define({
    names: ["BUCKET_MSG_CAPACITY"],
    schema: wholeNumberSchema(1, 1_000_000),
    defaultText: "60",
    meaning: "Messages a sender may send in one burst, per process; 30 when only the other is set.",
  }),
  messageRefillPerMinute: define({
    names: ["BUCKET_MSG_REFILL_RATE_PER_MIN"],
    schema: wholeNumberSchema(1, 1_000_000),
    defaultText: "600",
    meaning: "Messages a minute a sender may send for long; 30 when only the other is set.",
  }),
  contactsUrl: define({
    names: ["CONTACTS_LOOKUP_ENDPOINT"],
    schema: httpUrlSchema,
    defaultText: "none",
    meaning: "Where names of people without a profile are asked for: GET {endpoint}/{user id}.",
  }),
  autoRestart: define({
    names: ["AUTO_RESTART"],
    schema: switchSchema,
    defaultText: "1",
    meaning:
      "At start, whether MongoDB and RabbitMQ are waited for; 0: one attempt. Lost connections always come back.",
  }),
  startTimeoutSeconds: define({
    names: ["CHAT21_START_TIMEOUT_SECONDS"],
    schema: wholeNumberSchema(1, 3_600),
    defaultText: "60",
    meaning: "How long MongoDB and RabbitMQ are waited for at start; then the process ends with exit code 1.",
  }),
  migrate: define({
    names: ["CHAT21_MIGRATE"],
    schema: switchSchema,
    defaultText: "1",
    meaning: "Whether missing collections and indexes are made at start; 0 where its user may not.",
  }),
  basePath: define({
    names: ["BASEURL"],
    schema: basePathSchema,
    defaultText: "/api",
    meaning: "Where REST begins.",
  }),
  tlsCert: define({
    names: ["CHAT21_TLS_CERT", "CERT_PEM"],
    schema: z.string(),
    defaultText: "none",
    meaning: "Certificate chain (PEM file, or PEM text) for HTTPS; needs CHAT21_TLS_KEY as well.",
  }),
  tlsKey: define({
    names: ["CHAT21_TLS_KEY", "KEY_PEM"],
    schema: z.string(),
    defaultText: "none",
    meaning: "Private key (PEM file, or PEM text) of the certificate.",
    isSecret: true,
  }),
  mqttPort: define({
    names: ["CHAT21_MQTT_PORT"],
    schema: optionalPortSchema,
    defaultText: "1883",
    meaning: "Port of MQTT over TCP; off for none.",
  }),
  mqttWsPort: define({
    names: ["CHAT21_MQTT_WS_PORT"],
    schema: optionalPortSchema,
    defaultText: "off",
    meaning: "One more port for WebSocket MQTT, path /ws; old clients expect 15675.",
  }),
  requestsPerMinute: define({
    names: ["CHAT21_REQUESTS_PER_MINUTE"],
    schema: wholeNumberSchema(1, 1_000_000),
    defaultText: "600",
    meaning: "REST requests of one user in a minute, per process; admins are not limited.",
  }),
  authFailuresPerMinute: define({
    names: ["CHAT21_AUTH_FAILURES_PER_MINUTE"],
    schema: wholeNumberSchema(1, 1_000_000),
    defaultText: "60",
    meaning:
      "Requests of one address in a minute, per process, at REST and operators' paths together, that learn that their token or server key is missing or bad; further ones are told to wait.",
  }),
  trustProxy: define({
    names: ["CHAT21_TRUST_PROXY"],
    schema: trustProxySchema,
    defaultText: "none",
    meaning:
      "Reverse proxies whose X-Forwarded-For is believed: their number, or their addresses between commas.",
  }),
  managementUri: define({
    names: ["RABBITMQ_MANAGEMENT_URI"],
    schema: httpUrlSchema,
    defaultText: "none",
    meaning: "RabbitMQ's management API, by which connections of revoked tokens are closed.",
    isSecret: true,
  }),
} as const;

/** Every variable that some process of the cluster reads. */
export const clusterVariables: readonly string[] = Object.values(clusterSettings).flatMap(
  ({ names }) => names,
);
