import type { ConsumeMessage } from "amqplib";

/** When a message is believed to end the processes that take it. */
export const crashLimits = {
  /** Given out so often before without being finished: handled alone from now on, to see whether it is the one. */
  suspect: 3,
  /** Given out so often before, of them twice alone: a dead letter. */
  bury: 5,
} as const;

/**
 * How often a message was given out before and came back. Only quorum queues count; a classic queue says no more than
 * that it was once at least, and there the answer is 0.
 */
export function returnsOf({ fields, properties }: ConsumeMessage): number {
  // Whatever a publisher writes into the header counts for nothing before the broker has given the message out.
  const count: unknown = fields.redelivered ? properties.headers?.["x-delivery-count"] : 0;
  return typeof count === "number" ? count : 0;
}
