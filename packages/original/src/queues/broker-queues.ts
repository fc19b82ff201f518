/** A message that an original left in a queue. */
export interface OriginalQueueMessage {
  readonly routingKey: string;
  readonly payload: Uint8Array;
}

/** What is asked of the broker on which an original ran. The edge's adapter has it. */
export interface OriginalBrokerQueues {
  /** `null` where there is no such queue. */
  look(queue: string): Promise<{ readonly messageCount: number; readonly consumerCount: number } | null>;
  /** Ends these bindings of the queue. */
  unbind(queue: string, patterns: readonly string[]): Promise<void>;
  /**
   * Hands over everything in the queue, in order and one message after the other. Resolves with the number of messages. A
   * message that is refused with `bad_request` becomes a dead letter; any other error rejects, and the rest stays.
   */
  drain(queue: string, handle: (message: OriginalQueueMessage) => Promise<void>): Promise<number>;
  /** Empties the queue into the engine, as if clients had just published the messages. Resolves with their number. */
  drainAsPublished(queue: string): Promise<number>;
  /** Deletes the queue, unless messages wait in it. */
  deleteEmpty(queue: string): Promise<void>;
}
