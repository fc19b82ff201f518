import { deliveryId } from "./delivery-id.ts";
import type { BackendEventDraft } from "./fact-events.ts";
import type { WebhookDelivery } from "./webhook-store.ts";

/** One row of an event for each endpoint; their ids are made of the event, so that writing them again adds nothing. */
export function deliveryRows(
  draft: BackendEventDraft,
  urls: readonly string[],
  createdAt: number,
): readonly WebhookDelivery[] {
  const { event, app, orderKey, identity } = draft;
  const body = draft.body(createdAt);
  return urls.map((endpoint) => ({
    id: deliveryId(endpoint, event, app, identity),
    ...{ endpoint, app, orderKey, event, body, createdAt },
  }));
}
