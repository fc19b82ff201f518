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

  /** The session's client said that it is there. Answers whether it is: a connection may be gone by then. */
  announce(session: Session): boolean {
    if (!this.#open.has(session)) return false;
    this.#announced.set(leaseKey(session), session);
    return true;
  }

  /**
   * The session is gone. Answers whether its lease ends: not when a newer connection of the same client took it over.
   */
  remove(session: Session): boolean {
    this.#open.delete(session);
    return this.withdraw(session);
  }

  /** The session's client said that it leaves. Answers whether its lease ends. */
  withdraw(session: Session): boolean {
    if (this.#announced.get(leaseKey(session)) !== session) return false;
    this.#announced.delete(leaseKey(session));
    return true;
  }
}

function leaseKey({ app, user, clientId }: Session): string {
  return `${app}/${user}/${clientId}`;
}
