import type { Clock } from "./ports/clock.ts";
import type { Session } from "./ports/edge.ts";

/** What a renewed token changes. */
type RenewedRights = Pick<Session, "admin" | "expiresAt" | "family" | "issuedAt" | "scopedTo" | "tokenId">;

/** So long after its connect a client is remembered. */
const connectKeptMs = 600_000;

/** The open connections, which of them announced presence, and when each client connected. */
export class LiveSessions {
  /** With the moment (`Clock.elapsed`) at which its token has no time left. */
  readonly #open = new Map<Session, number>();
  readonly #announced = new Map<string, Session>();
  /** Times (ms) of each client's last two connects, the client that connected first in front. */
  readonly #connects = new Map<string, { readonly last: number; readonly before: number }>();

  /** Sessions whose tokens have no time left. @param elapsed `Clock.elapsed` */
  overdue(elapsed: number): readonly Session[] {
    return [...this.#open].filter(([, end]) => end <= elapsed).map(([session]) => session);
  }

  /** Sessions that announced presence and are still open. */
  get announced(): Iterable<Session> {
    return this.#announced.values();
  }

  add(session: Session, clock: Pick<Clock, "elapsed" | "now">): void {
    const now = clock.now();
    this.#open.set(session, clock.elapsed() + Math.max(0, session.expiresAt - now));
    const key = leaseKey(session);
    const before = this.#connects.get(key)?.last ?? 0;
    this.#connects.delete(key);
    this.#connects.set(key, { last: now, before });
    for (const [oldest, { last }] of this.#connects) {
      if (Math.abs(now - last) < connectKeptMs) break;
      this.#connects.delete(oldest);
    }
  }

  /** The session's token was renewed. Without effect when the connection is gone. */
  renew(session: Session, rights: RenewedRights, clock: Pick<Clock, "elapsed" | "now">): void {
    if (!this.#open.has(session)) return;
    Object.assign(session, rights);
    this.#open.set(session, clock.elapsed() + Math.max(0, session.expiresAt - clock.now()));
  }

  /** When the client's connection before the last one began, milliseconds; 0 when that is not known. */
  connectBeforeLast(session: Session): number {
    return this.#connects.get(leaseKey(session))?.before ?? 0;
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

  /** The client's lease is another process' from now on. */
  forget(client: Pick<Session, "app" | "user" | "clientId">): void {
    this.#announced.delete(leaseKey(client));
  }

  /** Notes that the session's client has said goodbye. Answers whether its lease ends. */
  withdraw(session: Session): boolean {
    if (this.#announced.get(leaseKey(session)) !== session) return false;
    this.#announced.delete(leaseKey(session));
    return true;
  }
}

function leaseKey({ app, user, clientId }: Pick<Session, "app" | "user" | "clientId">): string {
  return `${app}/${user}/${clientId}`;
}
