import type { WebhookSecret } from "@chat21/events";
import { Webhook } from "standardwebhooks";

/** Headers that prove to a receiver who sent a request, that it is unchanged and that it is recent. */
export type SignatureHeaders = Readonly<
  Record<"webhook-id" | "webhook-timestamp" | "webhook-signature", string>
>;

/** Signs requests as in Standard Webhooks: one signature for each active secret, all in one header. */
export type Signer = (id: string, body: string, now: number) => SignatureHeaders;

/** Makes a signer. Without a secret the signature header is empty: an endpoint always has one outside of tests. */
export function createSigner(secrets: readonly WebhookSecret[]): Signer {
  const keys = secrets.map((secret) => new Webhook(secret));
  return (id, body, now) => ({
    "webhook-id": id,
    "webhook-timestamp": String(Math.floor(now / 1_000)),
    "webhook-signature": keys.map((key) => key.sign(id, new Date(now), body)).join(" "),
  });
}
