import type { CloseReason } from "@chat21/engine";
import type { ChatError } from "@chat21/protocol";
import type { ReasonCode } from "../codec/reason-codes.ts";

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
  /** AUTH was refused: the client's new token, or the server could not check it. */
  | "auth_refused"
  | "packet_too_large"
  | "protocol_error"
  /** The handler threw an error that it should never throw. */
  | "internal";

/** Details of a connection's end, beside its cause. */
export interface CloseDetails {
  /** For the log, and for a client of version 5. @default nothing */
  readonly detail?: string;
  /** A client of version 5 gets this reason code instead of the usual one of the cause. */
  readonly reasonCode?: ReasonCode;
  /** The typed error that ends the connection. A client of version 5 is told this one, and not the cause's. */
  readonly error?: ChatError;
}

/** Causes after which buffered output is dropped instead of sent. */
export const abruptCauses: ReadonlySet<CloseCause> = new Set(["gone", "slow_consumer"]);

/** Normal causes, logged at `debug`. The others are logged at `info`. */
export const quietCauses: ReadonlySet<CloseCause> = new Set([
  "disconnected",
  "gone",
  "keep_alive_timeout",
  "refused",
  "auth_refused",
  "shutting_down",
]);
