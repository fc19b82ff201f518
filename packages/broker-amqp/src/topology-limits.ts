/** Every bound of the objects that are declared on the broker. */
export const topologyLimits = {
  /** Partition queues. Changing it moves keys between queues: drain first. */
  partitions: 16,
  /** Dead letters that are kept; the oldest go first. */
  deadLetters: 100_000,
  /** Bytes of dead letters that are kept. */
  deadLetterBytes: 1024 ** 3,
  /** Messages that wait for one MQTT subscription; the oldest go first, and the client catches up from history. */
  subscriptionMessages: 10_000,
  /** How long the queue of an MQTT subscription outlives its last client, milliseconds. */
  subscriptionExpiresMs: 24 * 60 * 60 * 1_000,
  /** Invalidations that wait for one process. */
  invalidations: 10_000,
  /** Notices of clients that are gone, before a process took them. */
  goneClients: 10_000,
  /** How long such a notice is useful, milliseconds. */
  goneClientMs: 10_000,
  /** How many such notices one process handles at a time. */
  goneInFlight: 50,
  /** How long the queue of these notices outlives the last process, milliseconds. */
  goneQueueExpiresMs: 60 * 60 * 1_000,
  /**
   * Times a quorum queue gives a message out again before it makes a dead letter of it; our own limit comes long before
   * that.
   */
  quorumDeliveries: 1_000,
} as const;
