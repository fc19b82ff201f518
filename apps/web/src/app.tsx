import { useSyncExternalStore } from "react";
import { ChatPage } from "./chat/chat-page.tsx";
import type { SessionStore } from "./session/session-store.ts";
import { SignInPage } from "./sign-in/sign-in-page.tsx";
import { ToastProvider } from "./ui/toasts.tsx";

/** The whole page: the sign-in page, or the chat. */
export function App({ sessions }: { sessions: SessionStore }) {
  const stage = useSyncExternalStore(sessions.subscribe, sessions.get);
  if (stage.kind === "opening") return null;
  if (stage.kind === "signed-out") return <SignInPage notice={stage.notice} onSignIn={sessions.signIn} />;
  return (
    <ToastProvider>
      <ChatPage key={stage.session.user} open={stage} signOut={sessions.signOut} />
    </ToastProvider>
  );
}
