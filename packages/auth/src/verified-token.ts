import type { Identity } from "@chat21/engine";
import type { Claims } from "@chat21/protocol";

/** The identity that a verified token proves, its profile and its claims. */
export interface VerifiedToken extends Identity {
  readonly profile: "strict" | "compat";
  readonly claims: Claims;
}
