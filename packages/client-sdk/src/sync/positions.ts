/** Where a client stands; what a storage keeps. */
export interface Positions {
  readonly epoch: string;
  /** Everything that was written before is known, by the server's clock. Milliseconds. */
  readonly checkedAt: number;
  /**
   * Everything that had changed up to there is known, or lies beyond a position. Absent: not all conversations were
   * listed yet, or an earlier version of this package wrote the positions.
   */
  readonly cursor?: string;
  /**
   * Per conversation, up to where everything was handed on. 0: nothing yet, and what was written up to `seenAt` (as
   * `checkedAt`, but then) is history.
   */
  readonly positions: Readonly<Record<string, { readonly seq: number; readonly seenAt?: number }>>;
}
