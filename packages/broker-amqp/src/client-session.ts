import type { Session } from "@chat21/engine";
import type { ClientTopic } from "@chat21/protocol";

/**
 * The session of a client whose connection the broker has. The topic names the user: the broker lets nobody publish on
 * another user's topic. The device is known where the topic names it; else answers go to all of the user's devices.
 */
export function clientSession(topic: ClientTopic): Session {
  return {
    app: topic.app,
    user: topic.user,
    clientId: deviceOf(topic),
    admin: false,
    // The broker looks at the token for as long as the connection lasts.
    expiresAt: Number.MAX_SAFE_INTEGER,
    issuedAt: 0,
    tokenId: "",
  };
}

function deviceOf(topic: ClientTopic): string {
  if (topic.kind === "presence") return topic.clientId;
  return topic.kind === "command" ? topic.device : "all";
}
