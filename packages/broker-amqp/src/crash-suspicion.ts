import type { ConsumeMessage } from "amqplib";

/** When a message is believed to end the processes that take it. */
export const crashLimits = {
  /** Given out so often before without being finished: handled alone from now on, to see whether it is the cause. */
  suspect: 3,
  /** Given out so often before, twice of them alone: it becomes a dead letter. */
  bury: 5,
} as const;

/**
 * How often a message was given out before and came back. Only quorum queues count this. A classic queue only says that
 * it happened at least once; there the answer is 0.
 */
export function returnsOf({ fields, properties }: ConsumeMessage): number {
  // A value that a publisher wrote into the header is ignored before the broker has given the message out.
  const count: unknown = fields.redelivered ? properties.headers?.["x-delivery-count"] : 0;
  return typeof count === "number" ? count : 0;
}
