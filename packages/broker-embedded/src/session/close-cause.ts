import type { CloseReason } from "@chat21/engine";

/** Every way in which a connection ends; a label of the metric `sessions_closed`. */
export type CloseCause =
  | CloseReason
  /** The client said DISCONNECT. */
  | "disconnected"
  /** The transport ended without a DISCONNECT. */
  | "gone"
  | "keep_alive_timeout"
  | "connect_timeout"
  /** CONNECT was refused. */
  | "refused"
  /** The same user connected with the same client id. */
  | "taken_over"
  | "packet_too_large"
  | "protocol_error"
  /** The handler failed in a way that it never should. */
  | "internal";

/** Causes with which what is still buffered for the client is given up instead of sent. */
export const abruptCauses: ReadonlySet<CloseCause> = new Set(["gone", "slow_consumer"]);

/** Causes that are everyday life; the others are logged as information. */
export const quietCauses: ReadonlySet<CloseCause> = new Set([
  "disconnected",
  "gone",
  "keep_alive_timeout",
  "refused",
  "shutting_down",
]);
