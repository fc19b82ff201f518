import type { VerifiedToken } from "@chat21/auth";
import { permits, usualNeed } from "./permits.ts";
import type { Route } from "./route.ts";

/** `denied`: another app's or user's path. `not-admin`: an admin's route. `out-of-scope`: the token's scopes are narrower. */
export type Verdict = "allowed" | "denied" | "not-admin" | "out-of-scope";

/**
 * Whether a token's holder may call a route, as far as the path shows. Only the engine knows membership and ownership;
 * it decides on them for MQTT and REST alike.
 */
export function authorize(
  { who, method, needs = usualNeed(method) }: Pick<Route, "method" | "needs" | "who">,
  actor: VerifiedToken,
  params: Readonly<Record<string, string>>,
  apps: readonly string[] | null,
): Verdict {
  if (apps !== null && !apps.includes(actor.app)) return "denied";
  if (!permits(actor, needs)) return "out-of-scope";
  if (who === "token") return "allowed";
  if (params["app"] !== actor.app) return "denied";
  if (who === "admin") return actor.admin ? "allowed" : "not-admin";
  if (who === "self") return actor.admin || params["user"] === actor.user ? "allowed" : "denied";
  return "allowed";
}
