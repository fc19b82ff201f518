/** Names a conversation of which something changed that no number tells. */
export interface Invalidation {
  readonly app: string;
  readonly conversation: string;
}

/**
 * Word between processes that share a store, that what they hold of a conversation is out of date. Best effort: numbers
 * are proven by the store, and this is for what has none (who archived it).
 */
export interface Invalidations {
  send(invalidation: Invalidation): void;
  /** Calls `listener` for what other processes sent. */
  onReceived(listener: (invalidation: Invalidation) => void): void;
}
