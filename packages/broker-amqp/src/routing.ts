import { fromRoutingKey, topics, toRoutingKey } from "@chat21/protocol";

/**
 * Patterns on the exchange of the MQTT plugin for everything that a client of `app` may publish, and nothing else:
 * one for each shape that `parseClientTopic` accepts, and one for client ids with dots. `app` is an app id, or `*` for every app.
 */
export function clientRoutingPatterns(app: string): readonly string[] {
  return [
    topics.outgoing(app, "*", "*"),
    topics.formerOutgoing(app, "*", "*"),
    topics.command(app, "*", "*"),
    topics.receipt(app, "*", "*", "*"),
    topics.conversationUpdate(app, "*", "*"),
    topics.conversationArchive(app, "*", "*"),
    topics.presence(app, "*", "*"),
    // A client id with dots is several words.
    topics.presence(app, "*", "*/*/#"),
  ].map(toRoutingKey);
}

const presence = /^(apps\/[^/]+\/users\/[^/]+\/presence)\/(.+)$/;

/** The topic of a client's publish. All that stands behind `presence` is its client id, which may have dots. */
export function clientTopicOf(routingKey: string): string {
  const topic = fromRoutingKey(routingKey);
  const [, tree, words] = presence.exec(topic) ?? [];
  return words === undefined ? topic : `${tree}/${words.replaceAll("/", ".")}`;
}

/** Key of an event on the events exchange: `apps.<app>.<event>`. */
export function eventRoutingKey(app: string, event: string): string {
  return `apps.${app}.${event}`;
}
