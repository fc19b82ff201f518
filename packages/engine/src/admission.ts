import { ChatError, isClientId, isId, isOwnFilter, isUserId, parseClientTopic } from "@chat21/protocol";
import { ownTopicsWithin } from "./own-topics.ts";
import type { ConnectAttempt, Session } from "./ports/edge.ts";
import type { TokenVerifier } from "./ports/identity.ts";

/** Settings of {@link admit}. */
export interface AdmissionOptions {
  readonly tokens: TokenVerifier;
  /** @default every app is served */
  readonly apps: readonly string[] | undefined;
}

/**
 * Admits a connection that has a good token, a client id that is the token's own, and no will but the client's
 * presence. Throws what `EdgeHandler.authenticate` promises.
 */
export async function admit(attempt: ConnectAttempt, { tokens, apps }: AdmissionOptions): Promise<Session> {
  const { clientId, password, will } = attempt;
  if (!isClientId(clientId)) throw new ChatError("invalid_id", "the client id is empty or too long");
  if (password === undefined || password === "") throw new ChatError("unauthorized");
  const identity = await tokens.verify(password);
  const { app, user } = identity;
  // Topics and filters are compared with these two: a user called `+` would match every user.
  if (!isId(app) || !isUserId(user))
    throw new ChatError("invalid_id", "the token names an app or a user with a form that is not allowed");
  if (apps !== undefined && !apps.includes(app))
    throw new ChatError("forbidden", "this app is not served here");
  if (identity.clientId !== null && identity.clientId !== clientId) {
    throw new ChatError("forbidden", "the token is bound to another client id");
  }
  if (identity.scopes?.isEmpty) throw new ChatError("forbidden", "the token has no scope for this server");
  if (will !== undefined) {
    const topic = parseClientTopic(will.topic);
    if (topic?.kind !== "presence" || topic.app !== app || topic.user !== user) {
      throw new ChatError("forbidden", "a will may only be the client's own presence");
    }
  }
  return {
    app,
    user,
    clientId,
    admin: identity.admin,
    expiresAt: identity.expiresAt,
    issuedAt: identity.issuedAt,
    tokenId: identity.tokenId,
    family: identity.family,
    scopedTo: ownTopicsWithin(identity.scopes, { app, user, clientId }),
  };
}

/** Whether a session may subscribe to a filter: only inside its own user's tree, as far as its token's scopes go. */
export function maySubscribe({ app, user, scopedTo }: Session, filter: string, qos: 0 | 1): boolean {
  return isOwnFilter(app, user, filter) && (scopedTo === undefined || scopedTo.maySubscribe(filter, qos));
}
