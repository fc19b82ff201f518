import { defaultApp } from "@chat21/protocol";
import { useId, useState } from "preact/compat";
import { signInByName } from "../session/development-sign-in.ts";
import type { Session } from "../session/session.ts";
import { keepSignInKey } from "../session/sign-in-key.ts";
import { TextField } from "../ui/text-field.tsx";
import { userIdFromName, userIdProblem } from "./user-id.ts";

const wrongKey = "This is not the key of this server.";

/** Focuses a field when it appears. The browser does it by `autofocus` for the first one of a page only. */
const focusWhenShown = (field: HTMLInputElement | null) => field?.focus();

/** The form to sign in by name. The user id is made from the name; the user may change it. */
export function NameForm(props: { onSignIn: (session: Session) => void; onUnavailable: () => void }) {
  const [name, setName] = useState("");
  const [ownId, setOwnId] = useState<string | null>(null);
  /** Text of the field for the key; `null`: there is no field, because nobody has asked for the key. */
  const [key, setKey] = useState<string | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const ids = { keyHint: useId(), problem: useId() };
  const isKeyWrong = problem === wrongKey;
  const user = ownId ?? userIdFromName(name);

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const fullname = name.trim();
    const wrong = fullname === "" ? "Enter a name." : userIdProblem(user);
    setProblem(wrong ?? null);
    if (wrong !== undefined || busy) {
      // A name without Latin letters gives no id, so the user has to enter one.
      if (fullname !== "" && ownId === null) setOwnId(user);
      return;
    }
    if (key !== null && key.trim() !== "") keepSignInKey(key);
    setBusy(true);
    const app = new URLSearchParams(location.search).get("app") ?? defaultApp;
    const outcome = await signInByName(app, user, fullname);
    setBusy(false);
    if (outcome.result === "signed-in") {
      props.onSignIn({ app, user: outcome.user, fullname, token: outcome.token, renewable: true });
    } else if (outcome.result === "unavailable") props.onUnavailable();
    else if (outcome.result === "no-key") {
      setProblem(key === null ? null : wrongKey);
      setKey(key ?? "");
    } else
      setProblem(
        outcome.result === "refused" ? outcome.reason : "The server does not answer. Is it running?",
      );
  }

  return (
    <form onSubmit={submit} noValidate>
      <TextField
        label="Your name"
        value={name}
        onText={setName}
        placeholder="Ada Lovelace"
        autoComplete="nickname"
        maxLength={128}
        aria-invalid={problem !== null && !isKeyWrong}
        aria-describedby={problem === null || isKeyWrong ? undefined : ids.problem}
        autoFocus
      >
        {ownId === null ? (
          <p className="hint identity">
            {user === "" ? (
              "Your user id is made from it. Others need the id to reach you."
            ) : (
              <>
                <span className="ellipsis">
                  Others reach you as <span className="code">{user}</span>
                </span>
                <button type="button" className="link-button" onClick={() => setOwnId(user)}>
                  Change
                </button>
              </>
            )}
          </p>
        ) : null}
      </TextField>
      {ownId !== null && (
        <TextField
          label="Your user id"
          value={ownId}
          onText={(text) => setOwnId(text.trim())}
          autoCapitalize="none"
          autoComplete="off"
          spellcheck={false}
          maxLength={64}
        />
      )}
      {key !== null && (
        <TextField
          label="Sign-in key"
          value={key}
          onText={setKey}
          autoCapitalize="none"
          autoComplete="off"
          spellcheck={false}
          maxLength={512}
          aria-invalid={isKeyWrong}
          aria-describedby={isKeyWrong ? `${ids.problem} ${ids.keyHint}` : ids.keyHint}
          inputRef={focusWhenShown}
        >
          <p className="hint" id={ids.keyHint}>
            Open the address that the server printed when it started, or paste it here. The key is its end,
            and it is in the file <span className="code">sign-in-key</span> of the server's data folder.
          </p>
        </TextField>
      )}
      {problem !== null && (
        <p className="problem" id={ids.problem} role="alert">
          {problem}
        </p>
      )}
      <button type="submit" className="button" data-kind="primary" disabled={busy}>
        {busy ? "Signing in…" : "Start chatting"}
      </button>
    </form>
  );
}
