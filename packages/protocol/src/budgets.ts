/** What one user may do in a burst, and in a minute for long. */
export interface Budget {
  readonly burst: number;
  readonly perMinute: number;
  /** What comes of one more: it is refused with `rate_limited`, or waits for its turn. */
  readonly beyond: "refused" | "waits";
}

/**
 * What one user may send, by kind, over all sessions together. An old client does not send receipts, marks and presence
 * again, so these wait; the senders of the others learn of the refusal and send again.
 */
export const budgets = {
  /** Messages over MQTT and REST, and commands that write into a conversation. */
  message: { burst: 60, perMinute: 600, beyond: "refused" },
  /** Characters of these messages' JSON: it bounds what one user writes to the disk. */
  message_characters: { burst: 1_000_000, perMinute: 30_000_000, beyond: "refused" },
  /**
   * People whom a user writes to or adds in a conversation for the first time. A step that costs more than the burst, such
   * as a group of thousands, costs the whole burst.
   */
  first_contact: { burst: 500, perMinute: 1, beyond: "refused" },
  /** Receipts (P2). The burst is for a client that was away and confirms hundreds of messages at once. */
  receipt: { burst: 1_000, perMinute: 6_000, beyond: "waits" },
  /** Receipts for ids that nobody knows; each is passed on. */
  unknown_receipt: { burst: 60, perMinute: 60, beyond: "refused" },
  /** `is_new`, archive, and each conversation that a `mark` names. */
  update: { burst: 1_000, perMinute: 6_000, beyond: "waits" },
  /** Comings and goings (P5, P6). */
  presence: { burst: 60, perMinute: 60, beyond: "waits" },
  /** Typing notices. */
  typing: { burst: 120, perMinute: 120, beyond: "refused" },
  /** Publishes that are refused, whatever the reason. One more is answered at once and settled when its turn has come. */
  refusal: { burst: 100, perMinute: 1_200, beyond: "waits" },
} as const satisfies Readonly<Record<string, Budget>>;

/** Publishes of one user and kind that may wait for their turn; one more is `rate_limited`. */
export const waitingPublishes = 1_000;
