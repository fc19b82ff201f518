/** Times and bounds of a node among the others. */
export const nodeLimits = {
  /** How long a node that comes listens for the others' answers. */
  listenMs: 1_000,
  /** How often a node sends a word to itself. */
  beatMs: 250,
  /** The table of users is trusted for so long after the last word to oneself that came back was sent. */
  trustMs: 2_000,
  /** Deliveries that wait while the table is not to be trusted. */
  heldDeliveries: 100_000,
  /** A connection that was announced and has not been opened by then is taken back. */
  unopenedMs: 30_000,
  /** Bytes of one frame, beyond which the next one begins. */
  frameBytes: 1024 * 1024,
  /** Bytes that wait for one node; beyond it the oldest go, and the node's clients catch up from history. */
  queuedBytes: 128 * 1024 * 1024,
} as const;
