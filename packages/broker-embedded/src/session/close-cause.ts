import type { CloseReason } from "@chat21/engine";

/** The cause of a connection's end. It is a label of the metric `sessions_closed`. */
export type CloseCause =
  | CloseReason
  /** The client sent DISCONNECT. */
  | "disconnected"
  /** The transport ended without a DISCONNECT. */
  | "gone"
  | "keep_alive_timeout"
  | "connect_timeout"
  /** CONNECT was refused. */
  | "refused"
  | "packet_too_large"
  | "protocol_error"
  /** The handler threw an error that it should never throw. */
  | "internal";

/** Causes after which buffered output is dropped instead of sent. */
export const abruptCauses: ReadonlySet<CloseCause> = new Set(["gone", "slow_consumer"]);

/** Normal causes, logged at `debug`. The others are logged at `info`. */
export const quietCauses: ReadonlySet<CloseCause> = new Set([
  "disconnected",
  "gone",
  "keep_alive_timeout",
  "refused",
  "shutting_down",
]);
