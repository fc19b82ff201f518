import type { Amendment } from "./event-log.ts";

/** One conversation's overlays, for checking and rebuilding them. */
export interface ConversationOverlays {
  readonly app: string;
  readonly conversation: string;
  readonly head: number;
  /** Ascending by `seq`. */
  readonly overlays: readonly { readonly seq: number; readonly overlay: string }[];
}

/** Maintenance of overlays. They can be computed from the log; no step of a message uses this port. */
export interface OverlayStore {
  /**
   * Conversations that hold an overlay, or an event of one of these types, in a stable order; at most `limit`, behind
   * `after` (an earlier answer's last one).
   */
  amended(
    types: readonly string[],
    limit: number,
    after?: { readonly app: string; readonly conversation: string },
  ): Promise<readonly ConversationOverlays[]>;
  /**
   * Replaces all overlays of a conversation in one write, if its head still is `expectedHead`; answers whether it was.
   * Amendments that erase also remove the sender's text. Idempotent.
   */
  replace(
    conversation: { readonly app: string; readonly conversation: string; readonly expectedHead: number },
    overlays: readonly Amendment[],
  ): Promise<boolean>;
}
