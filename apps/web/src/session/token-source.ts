import { readToken } from "../sign-in/read-token.ts";
import { signInByName } from "./development-sign-in.ts";
import { type Session, saveSession } from "./session.ts";

const marginMs = 60_000;

/**
 * Gives the session's token for as long as it is good for another minute, then a new one where sign-in by name gives
 * one. A token that cannot be renewed is given as it is: the server's refusal ends the session.
 */
export function createTokenSource(session: Session): () => Promise<string> {
  let token = session.token;
  return async () => {
    const expiresAt = readToken(token)?.expiresAt ?? 0;
    if (!session.renewable || expiresAt - marginMs > Date.now()) return token;
    const outcome = await signInByName(session.app, session.user, session.fullname);
    if (outcome.result === "unreachable")
      throw new Error("The server did not answer the request for a token.");
    if (outcome.result !== "signed-in") return token;
    token = outcome.token;
    saveSession({ ...session, token });
    return token;
  };
}
