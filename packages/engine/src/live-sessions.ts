import type { Session } from "./ports/edge.ts";

/** The open connections, and which of them announced presence. */
export class LiveSessions {
  readonly #open = new Set<Session>();
  readonly #announced = new Map<string, Session>();

  /** Open sessions. */
  get all(): ReadonlySet<Session> {
    return this.#open;
  }

  /** Sessions that announced presence and are still open. */
  get announced(): Iterable<Session> {
    return this.#announced.values();
  }

  add(session: Session): void {
    this.#open.add(session);
  }

  /** Notes that the session's client has announced its presence. Answers whether the connection is still open. */
  announce(session: Session): boolean {
    if (!this.#open.has(session)) return false;
    this.#announced.set(leaseKey(session), session);
    return true;
  }

  /**
   * Removes a session. Answers whether its lease ends: it does not when a newer connection of the same client took it
   * over.
   */
  remove(session: Session): boolean {
    this.#open.delete(session);
    return this.withdraw(session);
  }

  /** Notes that the session's client has said goodbye. Answers whether its lease ends. */
  withdraw(session: Session): boolean {
    if (this.#announced.get(leaseKey(session)) !== session) return false;
    this.#announced.delete(leaseKey(session));
    return true;
  }
}

function leaseKey({ app, user, clientId }: Session): string {
  return `${app}/${user}/${clientId}`;
}
