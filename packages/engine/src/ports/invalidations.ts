/** Names a conversation that changed in a way that no number tells. */
export interface Invalidation {
  readonly app: string;
  readonly conversation: string;
}

/**
 * Messages between processes that share a store: the receiver's memory of a conversation is out of date. Best effort:
 * the store proves numbers, and this is for facts without a number (such as the users who archived it).
 */
export interface Invalidations {
  send(invalidation: Invalidation): void;
  /** Calls `listener` for the messages of other processes. */
  onReceived(listener: (invalidation: Invalidation) => void): void;
}
