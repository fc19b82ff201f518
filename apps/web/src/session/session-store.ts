import type { Chat, ChatError } from "@chat21/client-sdk";
import { type ConnectionStore, createConnectionStore } from "../connection/connection-store.ts";
import { explainError } from "../ui/explain-error.ts";
import { clearSession, loadSession, type Session, saveSession } from "./session.ts";

/** Signs in and out. Made for `useSyncExternalStore`. */
export interface SessionStore {
  get(): Stage;
  subscribe(listener: () => void): () => void;
  signIn(session: Session): void;
  /** Closes the client and deletes the session. Unsent messages are lost. */
  signOut(): void;
}

/** Creates the store, and continues the saved session of this window, if any. */
export function createSessionStore(): SessionStore {
  const listeners = new Set<() => void>();
  let stage: Stage = { kind: "signed-out", notice: null };

  function enter(next: Stage): void {
    stage = next;
    for (const listener of listeners) listener();
  }

  function end(notice: string | null): void {
    // A closing client writes its positions once more, so the storage is cleared afterwards.
    if (stage.kind === "open")
      void stage.chat.close().then(() => stage.kind === "signed-out" && clearSession());
    clearSession();
    enter({ kind: "signed-out", notice });
  }

  async function open(session: Session): Promise<void> {
    enter({ kind: "opening" });
    const code = await import("./open-chat.ts").catch(() => null);
    // A part of the page did not come: the session and all that was written stay for the next load.
    if (code === null) {
      return enter({
        kind: "signed-out",
        notice: "The page could not be loaded in full. Load it again to go on.",
      });
    }
    try {
      const { openChat } = code;
      const chat = await openChat(session);
      enter({ kind: "open", session, chat, connection: createConnectionStore(chat) });
      void chat.closed.then((reason) => {
        if (reason !== null && stage.kind === "open" && stage.chat === chat) end(noticeFor(reason));
      });
    } catch (error) {
      end(explainError(error));
    }
  }

  const remembered = loadSession();
  if (remembered) void open(remembered);
  return {
    get: () => stage,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    signIn(session) {
      saveSession(session);
      void open(session);
    },
    signOut: () => end(null),
  };
}

/** A signed-in client and its session. */
export interface OpenChat {
  readonly session: Session;
  readonly chat: Chat;
  readonly connection: ConnectionStore;
}

/** The stage of this window: signed out, opening, or signed in. */
type Stage =
  | { readonly kind: "signed-out"; readonly notice: string | null }
  | { readonly kind: "opening" }
  | ({ readonly kind: "open" } & OpenChat);

function noticeFor(reason: ChatError): string {
  const ended =
    reason.code === "token_expired" || reason.code === "token_revoked" || reason.code === "unauthorized";
  return ended ? "Your session has ended. Please sign in again." : explainError(reason);
}
