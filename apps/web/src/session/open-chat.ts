import { type Chat, connect } from "@chat21/client-sdk";
import { eventStream } from "@chat21/client-sdk/event-stream";
import { adoptUnsent, createChatStorage } from "./chat-storage.ts";
import { pageAddress } from "./page-address.ts";
import type { Session } from "./session.ts";
import { createTokenSource } from "./token-source.ts";
import { claimWindowName } from "./window-name.ts";

/** Opens a client for the session, with what this window and closed ones have kept. */
export async function openChat(session: Session): Promise<Chat> {
  const windowName = await claimWindowName();
  await adoptUnsent(windowName, session);
  return connect({
    url: pageAddress(),
    app: session.app,
    token: createTokenSource(session),
    fullname: session.fullname,
    storage: createChatStorage(windowName),
    fallback: eventStream,
    offlineStart: true,
  });
}
