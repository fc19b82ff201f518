import type { Scopes } from "@chat21/protocol";

/** The rest of a user's own topics when its token's scopes are narrower. */
export interface OwnTopics {
  /** @param filter one inside the user's own tree */
  maySubscribe(filter: string, qos: 0 | 1): boolean;
  /** @param topic one of the user's own */
  mayPublish(topic: string): boolean;
}

/**
 * Narrows the topics of a client to its token's scopes. `undefined`: they are not narrower, as with every ordinary token,
 * and no publish has to be checked. The answers are RabbitMQ's own, whose MQTT plugin reads each client's subscriptions from a queue.
 */
export function ownTopicsWithin(scopes: Scopes | undefined, client: Client): OwnTopics | undefined {
  if (scopes === undefined) return undefined;
  const hasQueue = ([0, 1] as const).map((qos) => {
    const queue = `mqtt-subscription-${client.clientId}qos${qos}`;
    return permissions.every((permission) => scopes.opens(permission, queue));
  });
  const opensAll =
    hasQueue.every(Boolean) && scopes.opensOwn("read", client) && scopes.opensOwn("write", client);
  if (opensAll) return undefined;
  return {
    maySubscribe: (filter, qos) => hasQueue[qos] === true && scopes.opensKey("read", toKey(filter)),
    mayPublish: (topic) => scopes.opensKey("write", toKey(topic)),
  };
}

interface Client {
  readonly app: string;
  readonly user: string;
  readonly clientId: string;
}

const permissions = ["configure", "read", "write"] as const;

/** The routing key of a topic or filter of any form: unlike those of our own topics, it may hold every sign. */
function toKey(topic: string): string {
  return topic.replace(/[/.+]/g, (sign) => (sign === "/" ? "." : sign === "." ? "/" : "*"));
}
