/** Variables of existing deployments that mean something to none of our processes, by what they were for. */
export const originalVariables = {
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

/** Each name with the same reason. */
export function because(names: readonly string[], reason: string): [name: string, reason: string][] {
  return names.map((name) => [name, reason]);
}
