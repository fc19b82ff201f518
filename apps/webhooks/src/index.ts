export { loopbackRanges } from "./address-policy.ts";
export { webhooksSettings } from "./config.ts";
export type { AttemptResult } from "./retry-policy.ts";
export { retryLimits } from "./retry-policy.ts";
export type { TestEventOptions, TestEventResult } from "./send-test-event.ts";
export { sendTestEvent } from "./send-test-event.ts";
export type { WebhookWorker, WebhookWorkerOptions } from "./webhook-worker.ts";
export { createWebhookWorker } from "./webhook-worker.ts";
