import type { Scopes } from "@chat21/protocol";

/** What a token's scopes leave of its user's own topics. */
export interface OwnTopics {
  /** @param filter one inside the user's own tree */
  maySubscribe(filter: string, qos: 0 | 1): boolean;
  /** @param topic one of the user's own */
  mayPublish(topic: string): boolean;
}

/**
 * What the scopes leave of the topics of a client. `undefined`: everything, as with every ordinary token, so that nothing
 * has to be checked for each publish. The answers are RabbitMQ's own, whose MQTT plugin reads each client's subscriptions from a queue.
 */
export function ownTopicsWithin(
  scopes: Scopes | undefined,
  { app, user, clientId }: Client,
): OwnTopics | undefined {
  if (scopes === undefined) return undefined;
  const hasQueue = ([0, 1] as const).map((qos) => {
    const queue = `mqtt-subscription-${clientId}qos${qos}`;
    return permissions.every((permission) => scopes.opens(permission, queue));
  });
  const opensAll =
    hasQueue.every(Boolean) &&
    scopes.opensAllKeys("read", `apps.${app}.users.${user}.`) &&
    scopes.opensAllKeys("write", `apps.${app}.users.${user}.`) &&
    scopes.opensAllKeys("write", `apps.${app}.outgoing.users.${user}.`);
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
