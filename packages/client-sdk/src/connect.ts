import type { Chat } from "./chat.ts";
import type { ConnectOptions } from "./options.ts";

/**
 * Signs in and resolves when the client is online and caught up. Rejects with a `ChatError`: `unauthorized`,
 * `token_expired`, `token_revoked`, `forbidden` for a token that is not accepted, `bad_request` for contradicting
 * options, and the last failure when `connectTimeoutMs` is over.
 */
export async function connect(_options: ConnectOptions): Promise<Chat> {
  throw new Error("under construction");
}
