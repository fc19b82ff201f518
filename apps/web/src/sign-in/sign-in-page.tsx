import { useEffect, useState } from "preact/compat";
import type { Session } from "../session/session.ts";
import { Emblem } from "../ui/emblem.tsx";
import { NameForm } from "./name-form.tsx";
import { TokenForm } from "./token-form.tsx";

/** The sign-in page: by name where the server allows it, otherwise with a token. */
export function SignInPage(props: { notice: string | null; onSignIn: (session: Session) => void }) {
  const [way, setWay] = useState<"name" | "token">("name");
  const [unavailable, setUnavailable] = useState(false);

  useEffect(() => {
    document.title = "Sign in · Chat21";
  }, []);

  function handleUnavailable(): void {
    setUnavailable(true);
    setWay("token");
  }

  return (
    <main className="sign-in">
      <div className="sign-in-card">
        <header>
          <Emblem />
          <h1>{way === "name" ? "Who is there?" : "Sign in with a token"}</h1>
          {way === "name" && <p>Pick a name and start talking. Open a second window to be somebody else.</p>}
          {way === "token" && unavailable && <p>This server does not offer sign-in by name.</p>}
        </header>
        {props.notice !== null && (
          <p className="problem" role="alert">
            {props.notice}
          </p>
        )}
        {way === "name" ? (
          <NameForm onSignIn={props.onSignIn} onUnavailable={handleUnavailable} />
        ) : (
          <TokenForm onSignIn={props.onSignIn} />
        )}
        <footer>
          {way === "name" && (
            <button type="button" className="link-button" onClick={() => setWay("token")}>
              Use a token instead
            </button>
          )}
          {way === "token" && !unavailable && (
            <button type="button" className="link-button" onClick={() => setWay("name")}>
              Sign in by name instead
            </button>
          )}
        </footer>
      </div>
    </main>
  );
}
