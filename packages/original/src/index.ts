export type { OriginalBrokerQueues, OriginalQueueMessage } from "./queues/broker-queues.ts";
export type { OriginalTakeOver, OriginalTakeOverOptions } from "./queues/take-over.ts";
export { createOriginalTakeOver } from "./queues/take-over.ts";
export type { OriginalQueuesOptions } from "./queues/take-queues.ts";
export { originalQueuesPolicy, takeOriginalQueues } from "./queues/take-queues.ts";
export type { OriginalRefusal } from "./refusals.ts";
export { originalRefusals } from "./refusals.ts";
export { unusedOriginalVariables } from "./variables.ts";
