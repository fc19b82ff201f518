import type { Delivery } from "@chat21/engine";
import { topics, toRoutingKey } from "@chat21/protocol";
import { type Publication, transient } from "./publisher.ts";
import { names } from "./topology.ts";

/**
 * One publish per delivery, to the MQTT plugin's exchange. Transient: the store is the truth, and clients catch up from
 * it. Consecutive deliveries of the very same text share its bytes.
 */
export function deliveryPublications(deliveries: readonly Delivery[]): Publication[] {
  let text = "";
  let content: Buffer = Buffer.alloc(0);
  return deliveries.map(({ topic, payload }) => {
    if (payload !== text) {
      text = payload;
      content = Buffer.from(payload);
    }
    return { exchange: names.mqtt, routingKey: toRoutingKey(topic), content, options: transient };
  });
}

/** A message of a type that clients do not know, so that they ignore it. */
const probe = Buffer.from('{"type":"probe"}');

/** A publish that tells whether somebody listens to the user's ephemeral messages. */
export function probePublication(app: string, user: string, onReturned: () => void): Publication {
  const routingKey = toRoutingKey(topics.ephemeral(app, user));
  return { exchange: names.mqtt, routingKey, content: probe, options: transient, onReturned };
}
