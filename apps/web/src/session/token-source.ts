import { ChatError, type TokenSource } from "@chat21/client-sdk";
import { readToken } from "../sign-in/read-token.ts";
import { type SignInOutcome, signInByName } from "./development-sign-in.ts";
import { type Session, saveSession } from "./session.ts";

/**
 * Where the client gets its tokens. First the session's own, also when it has run out, so that a page opens while the
 * server is away; whenever the client asks again, a new one from sign-in by name. A token that cannot be renewed is all
 * there is: the server's refusal ends the session.
 */
export function createTokenSource(session: Session, signIn: typeof signInByName = signInByName): TokenSource {
  if (!session.renewable) return session.token;
  let first = true;
  return async () => {
    const begins = first;
    first = false;
    if (begins && !hasExpired(session.token)) return session.token;
    const outcome = await signIn(session.app, session.user, session.fullname);
    if (begins && outcome.result === "unreachable") return session.token;
    const token = tokenOf(outcome);
    saveSession({ ...session, token });
    return token;
  };
}

function hasExpired(token: string): boolean {
  return (readToken(token)?.expiresAt ?? 0) <= Date.now();
}

function tokenOf(outcome: SignInOutcome): string {
  if (outcome.result === "signed-in") return outcome.token;
  if (outcome.result === "unreachable") throw new ChatError("connection_lost", "the server gave no token");
  throw new ChatError("unauthorized", "the server gives no more tokens by name");
}
