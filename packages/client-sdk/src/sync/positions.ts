/** A client's positions in the logs, for its storage. */
export interface Positions {
  readonly epoch: string;
  /** Everything from before this time is known, by the server's clock. Milliseconds. */
  readonly checkedAt: number;
  /**
   * Every change up to this cursor is known, or lies beyond a position. Absent: not all conversations were listed yet,
   * or an earlier version of this package wrote the positions.
   */
  readonly cursor?: string;
  /**
   * For each conversation the number up to which everything was handed on. 0: nothing yet, and events up to `seenAt`
   * (`checkedAt` of that time) are history.
   */
  readonly positions: Readonly<Record<string, { readonly seq: number; readonly seenAt?: number }>>;
}
