import { useId, useState } from "preact/compat";
import type { Session } from "../session/session.ts";
import { TextField } from "../ui/text-field.tsx";
import { readToken } from "./read-token.ts";

/** The form to sign in with a token from an operator. */
export function TokenForm({ onSignIn }: { onSignIn: (session: Session) => void }) {
  const [token, setToken] = useState("");
  const [name, setName] = useState("");
  const [problem, setProblem] = useState<string | null>(null);
  const ids = { token: useId(), problem: useId() };

  function submit(event: SubmitEvent): void {
    event.preventDefault();
    const compact = token.replace(/\s+/gu, "");
    const facts = readToken(compact);
    if (facts === undefined) setProblem("That is not a token: it has three parts with dots between them.");
    // Whether it has expired only the server can tell: the clock of this machine may be wrong.
    else {
      const fullname = name.trim() || facts.user;
      onSignIn({ app: facts.app, user: facts.user, fullname, token: compact, renewable: false });
    }
  }

  return (
    <form onSubmit={submit} noValidate>
      <p className="hint">
        The operator of the server makes a token with
        <code className="code block">chat21 token &lt;user&gt;</code>
      </p>
      <div className="field">
        <label htmlFor={ids.token}>Token</label>
        <textarea
          id={ids.token}
          className="input"
          value={token}
          onInput={(event) => setToken(event.currentTarget.value)}
          placeholder="eyJhbGciOi…"
          autoComplete="off"
          spellcheck={false}
          aria-invalid={problem !== null}
          aria-describedby={problem === null ? undefined : ids.problem}
        />
      </div>
      <TextField
        label="Your name (optional)"
        value={name}
        onText={setName}
        autoComplete="nickname"
        maxLength={128}
      />
      {problem !== null && (
        <p className="problem" id={ids.problem} role="alert">
          {problem}
        </p>
      )}
      <button type="submit" className="button" data-kind="primary">
        Sign in
      </button>
    </form>
  );
}
