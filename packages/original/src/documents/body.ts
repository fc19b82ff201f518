import type { DecodedMessage } from "@chat21/engine";
import { decodeMessage } from "@chat21/engine";
import { ChatError, limits, serverKeys } from "@chat21/protocol";
import type { Refused } from "../refusals.ts";
import type { OriginalDocument } from "./copy.ts";

const ownedByServer: ReadonlySet<string> = new Set(serverKeys);

/**
 * The sender's content: every key in its order except the server's own, under the rules of a live send. So readers only
 * meet messages that could have been sent.
 */
export function originalBody(document: OriginalDocument): DecodedMessage | Refused {
  const own = Object.entries(document).filter(([key]) => !ownedByServer.has(key));
  const body = JSON.stringify(Object.fromEntries(own));
  try {
    return decodeMessage(body);
  } catch (thrown) {
    const { code, message } = ChatError.fromUnknown(thrown);
    const isTooLarge = code === "payload_too_large" || message.includes(`${limits.payloadDepth} levels`);
    return { refused: isTooLarge ? "message_too_large" : "malformed", detail: message };
  }
}
