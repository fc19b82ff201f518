import { ChatError, type TokenSource } from "@chat21/client-sdk";
import { readToken } from "../sign-in/read-token.ts";
import { type SignInOutcome, signInByName } from "./development-sign-in.ts";
import { type Session, saveSession } from "./session.ts";

/**
 * Creates the source of the client's tokens. The first token is the session's own, even when it has expired, so that
 * the page opens while the server is down. Each later one comes from sign-in by name. A session that is not renewable
 * has one token only: when the server refuses it, the session ends.
 */
export function createTokenSource(session: Session, signIn: typeof signInByName = signInByName): TokenSource {
  if (!session.renewable) return session.token;
  let first = true;
  return async () => {
    const begins = first;
    first = false;
    if (begins && !hasExpired(session.token)) return session.token;
    const outcome = await signIn(session.app, session.user, session.fullname);
    if (outcome.result === "signed-in") {
      saveSession({ ...session, token: outcome.token });
      return outcome.token;
    }
    if (isFinal(outcome)) throw new ChatError("unauthorized", "the server refused to issue a new token");
    if (begins) return session.token;
    throw new ChatError("connection_lost", "the server did not give a new token");
  };
}

function hasExpired(token: string): boolean {
  return (readToken(token)?.expiresAt ?? 0) <= Date.now();
}

/** Whether the Chat21 server itself says that there is no token for this user. Everything else may pass. */
function isFinal(outcome: Exclude<SignInOutcome, { readonly result: "signed-in" }>): boolean {
  if (outcome.result === "unreachable") return false;
  const { code } = outcome;
  return code === "not_found" || code === "forbidden" || code === "unauthorized";
}
