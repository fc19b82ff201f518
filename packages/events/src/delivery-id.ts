import { hash } from "node:crypto";

/**
 * The `webhook-id` of an event at an endpoint: a hash of the event's identity, so that the same event gets the same id
 * when any process dispatches it again. `parts` must tell all events of one kind apart.
 */
export function deliveryId(
  endpoint: string,
  event: string,
  app: string,
  parts: readonly (string | number)[],
): string {
  // JSON keeps the borders between the parts: ["a", "b"] and ["ab"] differ.
  const text = JSON.stringify([endpoint, event, app, ...parts]);
  return `evt_${hash("sha256", text, "base64url").slice(0, 32)}`;
}
