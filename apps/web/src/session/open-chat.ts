import { type Chat, connect } from "@chat21/client-sdk";
import type { Session } from "./session.ts";
import { claimNamespace, sessionChatStorage } from "./session-storage.ts";
import { createTokenSource } from "./token-source.ts";

/** Opens a client for the session, with what this window has kept. */
export async function openChat(session: Session): Promise<Chat> {
  return connect({
    url: location.origin,
    app: session.app,
    token: createTokenSource(session),
    fullname: session.fullname,
    storage: sessionChatStorage(await claimNamespace()),
    offlineStart: true,
  });
}
