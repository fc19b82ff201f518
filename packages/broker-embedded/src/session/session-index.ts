import type { Session, SessionSelector } from "@chat21/engine";
import type { Connection } from "./connection.ts";

/** Open connections by app and user. A change replaces a list, so that a loop over the old one may go on. */
export class SessionIndex {
  readonly #apps = new Map<string, Map<string, readonly Connection[]>>();

  add(connection: Connection, session: Session): void {
    let users = this.#apps.get(session.app);
    if (users === undefined) {
      users = new Map();
      this.#apps.set(session.app, users);
    }
    users.set(session.user, [...(users.get(session.user) ?? none), connection]);
  }

  delete(connection: Connection, session: Session): void {
    const users = this.#apps.get(session.app);
    const left = users?.get(session.user)?.filter((other) => other !== connection) ?? none;
    if (left.length > 0) users?.set(session.user, left);
    else users?.delete(session.user);
    if (users?.size === 0) this.#apps.delete(session.app);
  }

  /** Connections of one user. Empty when there are none. */
  of(app: string, user: string): readonly Connection[] {
    return this.#apps.get(app)?.get(user) ?? none;
  }

  has(app: string, user: string): boolean {
    return this.#apps.get(app)?.has(user) === true;
  }

  /** Connections that match every given field. */
  select(selector: SessionSelector): Connection[] {
    return [...this.#candidates(selector)].filter(
      ({ session }) => session !== null && matches(session, selector),
    );
  }

  *#candidates({ app, user }: SessionSelector): Iterable<Connection> {
    const apps = app === undefined ? this.#apps.values() : [this.#apps.get(app)];
    for (const users of apps) {
      if (users === undefined) continue;
      if (user !== undefined) yield* users.get(user) ?? none;
      else for (const connections of users.values()) yield* connections;
    }
  }
}

const none: readonly Connection[] = Object.freeze([]);

function matches(session: Session, selector: SessionSelector): boolean {
  const { clientId, tokenId, issuedBefore, expiredAt } = selector;
  return (
    (clientId === undefined || session.clientId === clientId) &&
    (tokenId === undefined || session.tokenId === tokenId || session.family === tokenId) &&
    (issuedBefore === undefined || session.issuedAt < issuedBefore) &&
    (expiredAt === undefined || session.expiresAt <= expiredAt)
  );
}
