import { ChatError, topics } from "@chat21/protocol";
import type { RecordingEdge } from "@chat21/testkit";
import { wireIdOf } from "../../src/connection/wire-id.ts";
import type { Link, LinkOptions } from "../../src/testing.ts";

const utf8 = new TextEncoder();

/** Opens links to an edge in this process: what MQTT would carry, without MQTT. */
export function linksTo(edge: RecordingEdge): (options: LinkOptions) => Promise<Link> {
  return async ({ token, clientId, signal, handlePublish }) => {
    const presence = topics.presence(token.app, wireIdOf(token.user), clientId);
    const end = Promise.withResolvers<ChatError>();
    const client = await edge
      .connect({
        clientId,
        password: token.text,
        will: { topic: presence, payload: utf8.encode('{"disconnected":true}') },
        handleFrame: ({ topic, payload }) => handlePublish(topic, utf8.encode(payload)),
        handleEnd: () => end.resolve(new ChatError("connection_lost")),
      })
      .catch((thrown) => {
        throw asOverMqtt(ChatError.fromUnknown(thrown));
      });
    if (signal.aborted) client.close();
    // The SDK never waits for an acknowledgement, and a refusal closes the connection.
    const send = (topic: string, payload: object) =>
      client.isOpen ? client.publish(topic, payload) : Promise.reject(new ChatError("connection_lost"));
    const link: Link = {
      clientId,
      ended: end.promise,
      publish: (topic, payload) => void send(topic, payload).catch(() => undefined),
      deliver: (topic, payload) =>
        send(topic, payload).catch((cause) => {
          throw new ChatError("connection_lost", undefined, { cause });
        }),
      probe: () => undefined,
      close: async () => client.close(),
    };
    link.publish(presence, { connected: true });
    return link;
  };
}

/** CONNACK says only that a client id or a token is not accepted; everything else looks like a lost connection. */
function asOverMqtt(error: ChatError): ChatError {
  if (error.code === "invalid_id") return error;
  const isRefusal = !error.retryable;
  return new ChatError(isRefusal ? "unauthorized" : "connection_lost", undefined, { cause: error });
}
