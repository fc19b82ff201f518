import { because, originalVariables } from "@chat21/runtime";

/** Why a variable of an existing Chat21 deployment has no effect here. */
const reasons = {
  broker: "everything runs in this process, without RabbitMQ",
  store: "everything is stored in CHAT21_DATA_DIR, without MongoDB",
  cache: "there is no Redis to connect to",
  queues: "there are no queues between processes to choose, fetch from or reconnect to",
  metrics: "metrics are served at /metrics on CHAT21_HTTP_PORT",
  buckets: "only messages are limited, by BUCKET_MSG_CAPACITY and BUCKET_MSG_REFILL_RATE_PER_MIN",
  analytics: "there is no analytics exchange; webhooks carry the same events",
  push: "push notifications are not part of this release; webhooks carry the same events",
} as const;

/** Variables that existing deployments set and that have no effect here, each with the reason. */
export const unusedSettings: ReadonlyMap<string, string> = new Map([
  ["RABBITMQ_URI", reasons.broker],
  ["MONGODB_URI", reasons.store],
  ...because(originalVariables.cache, reasons.cache),
  ["ACTIVE_QUEUES", reasons.queues],
  ["PREFETCH_MESSAGES", reasons.queues],
  ["AUTO_RESTART", reasons.queues],
  ["METRICS_PORT", reasons.metrics],
  ...because(originalVariables.buckets, reasons.buckets),
  ...because(originalVariables.analytics, reasons.analytics),
  ...because(originalVariables.push, reasons.push),
  ["PUSH_WH_CHAT21_API_ADMIN_TOKEN", reasons.push],
  ...because(originalVariables.push, reasons.push),
]);
