import { topics, toRoutingKey } from "@chat21/protocol";

/**
 * Patterns on the exchange of the MQTT plugin for everything that a client of `app` may publish, and nothing else:
 * one for each shape that `parseClientTopic` accepts. `app` is an app id, or `*` for every app.
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
  ].map(toRoutingKey);
}

/** Key of an event on the events exchange: `apps.<app>.<event>`. */
export function eventRoutingKey(app: string, event: string): string {
  return `apps.${app}.${event}`;
}
