import type { Identity } from "@chat21/engine";
import type { Claims } from "@chat21/protocol";

/** Who a token says it is, and how it says so. */
export interface VerifiedToken extends Identity {
  readonly profile: "strict" | "compat";
  readonly claims: Claims;
}
