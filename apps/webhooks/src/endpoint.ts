import { isIP } from "node:net";
import { ChatError } from "@chat21/protocol";
import type { AddressPolicy } from "./address-policy.ts";
import type { WebhookSecret } from "./webhook-secret.ts";

/** Where deliveries go, and what they are signed with. */
export interface WebhookEndpoint {
  /** As {@link normalizeEndpointUrl} makes it: the query string is part of the endpoint. */
  readonly url: string;
  /** Every one of them signs: the newest first, an older one beside it while receivers are changed over. */
  readonly secrets: readonly WebhookSecret[];
}

const longestUrl = 2_048;

/**
 * The one form in which an endpoint is stored and compared: absolute, `http` or `https`, without a fragment, query
 * string kept. Throws `ChatError` `bad_request`, whose message says what was expected.
 */
export function normalizeEndpointUrl(text: string): string {
  const url = text.length > longestUrl ? null : URL.parse(text.trim());
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) {
    throw new ChatError(
      "bad_request",
      "expected addresses that begin with http:// or https://, between commas",
    );
  }
  if (url.username !== "" || url.password !== "") {
    throw new ChatError(
      "bad_request",
      "expected an address without user and password: verify the signature instead",
    );
  }
  url.hash = "";
  return url.href;
}

/**
 * Throws `ChatError` `bad_request` for an endpoint that can never work: without a secret, or at a literal address that
 * the policy refuses. (What a name resolves to is decided at each connection.)
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

/** An endpoint for people's eyes: without its query string, which often holds a secret. */
export function endpointLabel(url: string): string {
  const parsed = URL.parse(url);
  return parsed === null ? "?" : `${parsed.origin}${parsed.pathname}${parsed.search === "" ? "" : "?…"}`;
}
