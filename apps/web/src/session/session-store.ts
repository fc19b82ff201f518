import type { Chat } from "@chat21/client-sdk";
import { ChatError, type ErrorCode } from "@chat21/protocol";
import { type ConnectionStore, createConnectionStore } from "../connection/connection-store.ts";
import { explainError } from "../ui/explain-error.ts";
import { adoptUnsent, eraseRecords } from "./chat-storage.ts";
import { forgetSession, loadSession, type Session, saveSession } from "./session.ts";
import { knownWindowName } from "./window-name.ts";

/** Signs in and out. Made for `useSyncExternalStore`. */
export interface SessionStore {
  get(): Stage;
  subscribe(listener: () => void): () => void;
  signIn(session: Session): void;
  /** Closes the client, and deletes the session and all that is kept for its user. Unsent messages are lost. */
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

  /** Only a refusal of the credentials ends the session. What the person wrote waits for the next sign-in. */
  function fail(reason: ChatError): void {
    const isRefused = credentialsCodes.has(reason.code);
    if (isRefused) forgetSession();
    enter({
      kind: "signed-out",
      notice: isRefused
        ? "Your session has ended. Please sign in again: what you wrote is kept."
        : explainError(reason),
    });
  }

  function signOut(): void {
    if (stage.kind !== "open") return;
    const { session, chat } = stage;
    forgetSession();
    eraseRecords(session);
    enter({ kind: "signed-out", notice: null });
    // A closing client writes its positions once more, and windows that were closed since may have left messages.
    void chat.close().then(async () => {
      const windowName = knownWindowName();
      if (windowName !== null) await adoptUnsent(windowName, session);
      if (stage.kind === "signed-out") eraseRecords(session);
    });
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
        if (reason !== null && stage.kind === "open" && stage.chat === chat) fail(reason);
      });
    } catch (error) {
      fail(ChatError.fromUnknown(error));
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
    signOut,
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

const credentialsCodes: ReadonlySet<ErrorCode> = new Set([
  "forbidden",
  "token_expired",
  "token_revoked",
  "unauthorized",
]);
