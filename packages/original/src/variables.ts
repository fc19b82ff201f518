/** Variables of an original that none of our processes reads, by their former purpose. */
const names = {
  cache: ["CACHE_ENABLED", "CACHE_REDIS_HOST", "CACHE_REDIS_PORT", "CACHE_REDIS_PASSWORD"],
  buckets: [
    "BUCKET_WH_CAPACITY",
    "BUCKET_WH_REFILL_RATE_PER_MIN",
    "BUCKET_BLK_CAPACITY",
    "BUCKET_BLK_REFILL_RATE_PER_MIN",
  ],
  analytics: ["ANALYTICS_ENABLED", "ANALYTICS_EXCHANGE", "ANALYTICS_RABBITMQ_URI"],
  push: [
    "PUSH_ENABLED",
    "FIREBASE_PROJECT_ID",
    "FIREBASE_PRIVATE_KEY",
    "FIREBASE_CLIENT_EMAIL",
    "WEB_CLICK_ACTION",
    "MOBILE_CLICK_ACTION",
    "PUSH_WH_WEBHOOK_TOKEN",
    "PUSH_WH_CHAT21_API_ADMIN_TOKEN",
    "PUSH_WH_NOTIFY_URL",
  ],
} as const;

const clusterReasons = {
  cache: "there is no Redis to connect to",
  queues:
    "every observer takes its share of all partitions; webhooks are sent by chat21-webhooks, whatever the observers do",
  buckets: "only messages are limited, by BUCKET_MSG_CAPACITY and BUCKET_MSG_REFILL_RATE_PER_MIN",
  analytics: "there is no analytics exchange; the exchange chat21.events carries the same events",
  push: "push notifications are not part of this release; webhooks and chat21.events carry the same events",
} as const;

const serverReasons = {
  broker: "everything runs in this process, without RabbitMQ",
  store: "everything is stored in CHAT21_DATA_DIR, without MongoDB",
  cache: "there is no Redis to connect to",
  queues: "there are no queues between processes to choose, fetch from or reconnect to",
  metrics: "metrics are served at /metrics on CHAT21_HTTP_PORT",
  buckets: "only messages are limited, by BUCKET_MSG_CAPACITY and BUCKET_MSG_REFILL_RATE_PER_MIN",
  analytics: "there is no analytics exchange; webhooks carry the same events",
  push: "push notifications are not part of this release; webhooks carry the same events",
} as const;

const because = (some: readonly string[], reason: string) => some.map((name) => [name, reason] as const);

/**
 * Variables of an original's deployments that have no effect, each with the reason, by the place where they are set.
 */
export const unusedOriginalVariables: Readonly<Record<"cluster" | "server", ReadonlyMap<string, string>>> = {
  /** For the processes of a cluster. */
  cluster: new Map([
    ...because(names.cache, clusterReasons.cache),
    ["ACTIVE_QUEUES", clusterReasons.queues],
    ...because(names.buckets, clusterReasons.buckets),
    ...because(names.analytics, clusterReasons.analytics),
    ...because(names.push, clusterReasons.push),
  ]),
  /** For the server that is one process. */
  server: new Map([
    ["RABBITMQ_URI", serverReasons.broker],
    ["MONGODB_URI", serverReasons.store],
    ...because(names.cache, serverReasons.cache),
    ["ACTIVE_QUEUES", serverReasons.queues],
    ["PREFETCH_MESSAGES", serverReasons.queues],
    ["AUTO_RESTART", serverReasons.queues],
    ["METRICS_PORT", serverReasons.metrics],
    ...because(names.buckets, serverReasons.buckets),
    ...because(names.analytics, serverReasons.analytics),
    ...because(names.push, serverReasons.push),
  ]),
};
