/** A message that an original left in a queue. */
export interface OriginalQueueMessage {
  readonly routingKey: string;
  readonly payload: Uint8Array;
}

/** Operations on the broker of an original. The edge's adapter implements them. */
export interface OriginalBrokerQueues {
  /** `null` for a queue that does not exist. */
  look(queue: string): Promise<{ readonly messageCount: number; readonly consumerCount: number } | null>;
  /** Ends these bindings of the queue. */
  unbind(queue: string, patterns: readonly string[]): Promise<void>;
  /**
   * Hands over everything in the queue, in order and one message after the other. Resolves with the number of messages.
   * A message that is refused with `bad_request` becomes a dead letter; any other error rejects, and the rest stays.
   */
  drain(queue: string, handle: (message: OriginalQueueMessage) => Promise<void>): Promise<number>;
  /** Empties the queue into the engine, as if clients had just published the messages. Resolves with their number. */
  drainAsPublished(queue: string): Promise<number>;
  /** Deletes the queue if it is empty. */
  deleteEmpty(queue: string): Promise<void>;
}
