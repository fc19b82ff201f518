import { isIP } from "node:net";
import { endpointLabel, type WebhookEndpoint } from "@chat21/events";
import { ChatError } from "@chat21/protocol";
import type { AddressPolicy } from "./address-policy.ts";

/**
 * Throws `ChatError` `bad_request` for an endpoint that can never work: without a secret, or at a literal address that
 * the policy refuses. (The addresses of a name are checked at each connection.)
 */
export function assertUsableEndpoint({ url, secrets }: WebhookEndpoint, policy: AddressPolicy): void {
  if (secrets.length === 0)
    throw new ChatError("bad_request", `${endpointLabel(url)}: there is no secret to sign with`);
  const { hostname } = new URL(url);
  const literal = hostname.replace(/^\[(.*)\]$/, "$1");
  if (isIP(literal) === 0 || policy.allows(literal)) return;
  throw new ChatError(
    "bad_request",
    `${endpointLabel(url)} is not a public address; set WEBHOOK_ALLOW_PRIVATE=${literal} to allow it`,
  );
}
