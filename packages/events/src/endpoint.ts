import { ChatError } from "@chat21/protocol";
import type { WebhookSecret } from "./webhook-secret.ts";

/** The address that deliveries go to, and the secrets that sign them. */
export interface WebhookEndpoint {
  /** As {@link normalizeEndpointUrl} makes it: the query string is part of the endpoint. */
  readonly url: string;
  /** Every secret signs: the newest first, an older one beside it while receivers are changed over. */
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
 * The endpoint of this address, in whatever form it is written; the first one without an address. Throws `ChatError`
 * `not_found` when there is none.
 */
export function chooseEndpoint<Endpoint extends { readonly url: string }>(
  endpoints: readonly Endpoint[],
  url: string | undefined,
): Endpoint {
  const chosen =
    url === undefined ? endpoints[0] : endpoints.find((one) => one.url === normalizeEndpointUrl(url));
  if (chosen !== undefined) return chosen;
  throw new ChatError("not_found", url === undefined ? "there is no endpoint" : "there is no such endpoint");
}

/** An endpoint for people's eyes: without its query string, which often holds a secret. */
export function endpointLabel(url: string): string {
  const parsed = URL.parse(url);
  return parsed === null ? "?" : `${parsed.origin}${parsed.pathname}${parsed.search === "" ? "" : "?…"}`;
}
