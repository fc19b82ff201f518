/** Every bound of what is declared on the broker. */
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
  /** Word between processes that waits for one of them. */
  invalidations: 10_000,
  /** Clients that are gone and nobody was told yet. */
  goneClients: 10_000,
  /** How long such word is worth something, milliseconds. */
  goneClientMs: 10_000,
  /** How many of them one process notes at a time. */
  goneInFlight: 50,
  /** How long their queue outlives the last process, milliseconds. */
  goneQueueExpiresMs: 60 * 60 * 1_000,
  /** Times a quorum queue gives a message back before it is a dead letter by itself; ours come long before that. */
  quorumDeliveries: 1_000,
} as const;
