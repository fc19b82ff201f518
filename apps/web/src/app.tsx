import { lazy, Suspense, useEffect, useSyncExternalStore } from "preact/compat";
import type { SessionStore } from "./session/session-store.ts";
import { SignInPage } from "./sign-in/sign-in-page.tsx";
import { ErrorBoundary } from "./ui/error-boundary.tsx";
import { ToastProvider } from "./ui/toasts.tsx";

/** Comes in a file of its own: who signs in waits for less. */
const loadChatPage = () => import("./chat/chat-page.tsx");
const ChatPage = lazy(async () => ({ default: (await loadChatPage()).ChatPage }));

/** The whole page. A part that fails leaves a way on: nothing that was written is lost by loading it again. */
export function App({ sessions }: { sessions: SessionStore }) {
  return (
    <ErrorBoundary fallback={<Failed />}>
      <Stage sessions={sessions} />
    </ErrorBoundary>
  );
}

function Failed() {
  return (
    <div className="empty" role="alert">
      <h1>The page has failed</h1>
      <p>Your messages and drafts are kept. Load the page again to go on.</p>
      <button type="button" className="button" data-kind="primary" onClick={() => location.reload()}>
        Load again
      </button>
    </div>
  );
}

/** The sign-in page, or the chat. */
function Stage({ sessions }: { sessions: SessionStore }) {
  const stage = useSyncExternalStore(sessions.subscribe, sessions.get);

  // Both parts of the chat come while the person types, one after the other: each connection more that the browser keeps in its
  // pool may be a dead one after sleep. What does not come is asked for again when it is needed.
  useEffect(() => {
    void import("./session/open-chat.ts").then(loadChatPage).catch(() => undefined);
  }, []);

  if (stage.kind === "opening") return null;
  if (stage.kind === "signed-out") return <SignInPage notice={stage.notice} onSignIn={sessions.signIn} />;
  return (
    <ToastProvider>
      <Suspense fallback={null}>
        <ChatPage key={stage.session.user} open={stage} signOut={sessions.signOut} />
      </Suspense>
    </ToastProvider>
  );
}
