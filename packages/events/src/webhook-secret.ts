import { randomBytes } from "node:crypto";

/** `whsec_` and 24-64 random bytes in base64, as in Standard Webhooks. */
export type WebhookSecret = string;

const prefix = "whsec_";

/** A new random secret of 32 bytes. */
export function generateWebhookSecret(): WebhookSecret {
  return `${prefix}${randomBytes(32).toString("base64")}`;
}

/** Whether `text` is a {@link WebhookSecret}. */
export function isWebhookSecret(text: string): boolean {
  if (!text.startsWith(prefix)) return false;
  const base64 = text.slice(prefix.length);
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64) || base64.length % 4 !== 0) return false;
  const { length } = Buffer.from(base64, "base64");
  return length >= 24 && length <= 64;
}
