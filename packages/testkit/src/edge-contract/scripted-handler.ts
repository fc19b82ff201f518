import type { ConnectAttempt, EdgeHandler, Inbound, Session } from "@chat21/engine";
import { ChatError } from "@chat21/protocol";

/**
 * A handler that a test controls. It records every call and decides as the test says. By default every client with a
 * {@link passwordOf} may connect and subscribe to everything, and every publish is settled at once.
 */
export class ScriptedHandler implements EdgeHandler {
  readonly attempts: ConnectAttempt[] = [];
  readonly opened: Session[] = [];
  readonly closed: Session[] = [];
  readonly filters: string[] = [];
  readonly publishes: RecordedPublish[] = [];
  /** All calls except `authenticate`, in order, as `method user detail`. */
  readonly calls: string[] = [];
  onAuthenticate: (attempt: ConnectAttempt) => Session | Promise<Session> = defaultSession;
  onSubscribe: (filter: string) => boolean = () => true;
  onPublish: (inbound: RecordedPublish) => Promise<void> = async () => {};
  /** The typed answer with which a publish is refused. */
  /** @default admitted */
  onOpening: () => boolean = () => true;
  onRefuse: (inbound: RecordedPublish) => ChatError | undefined = () => undefined;
  readonly #waiting = new Set<() => void>();

  async authenticate(attempt: ConnectAttempt): Promise<Session> {
    this.attempts.push(attempt);
    this.#changed();
    return this.onAuthenticate(attempt);
  }

  async renew(session: Session, attempt: ConnectAttempt): Promise<void> {
    const { app, user, ...rights } = await this.onAuthenticate(attempt);
    if (app !== session.app || user !== session.user) throw new ChatError("forbidden");
    Object.assign(session, rights);
    this.#called(`renew ${session.user} ${session.tokenId}`);
  }

  isAdmitted(): boolean {
    return this.onOpening();
  }

  handleOpen(session: Session): void {
    this.opened.push(session);
    this.#called(`open ${session.user} ${session.clientId}`);
  }

  handleClose(session: Session): void {
    this.closed.push(session);
    this.#called(`close ${session.user} ${session.clientId}`);
  }

  canSubscribe(session: Session, filter: string): boolean {
    this.filters.push(filter);
    this.#called(`subscribe ${session.user} ${filter}`);
    return this.onSubscribe(filter);
  }

  handlePublish(session: Session, inbound: Inbound): Promise<void> {
    const { topic, packet } = inbound;
    const publish = { session, topic, payload: Buffer.from(inbound.payload).toString(), packet };
    this.publishes.push(publish);
    const refusal = this.onRefuse(publish);
    if (refusal !== undefined) inbound.onRefused?.(refusal);
    const settled = this.onPublish(publish);
    this.#called(`publish ${session.user} ${inbound.topic}`);
    return settled;
  }

  async handleTakeover(): Promise<void> {
    this.#called("takeover");
  }

  async handleGone(clientId: string): Promise<void> {
    this.#called(`gone ${clientId}`);
  }

  handleMoved({ user, clientId }: Pick<Session, "user" | "clientId">): void {
    this.#called(`moved ${user} ${clientId}`);
  }

  /** Resolves when `isSo` returns true. It is asked again after each call to the handler. */
  until(isSo: () => boolean): Promise<void> {
    if (isSo()) return Promise.resolve();
    return new Promise((resolve) => {
      const check = () => {
        if (!isSo()) return;
        this.#waiting.delete(check);
        resolve();
      };
      this.#waiting.add(check);
    });
  }

  #called(call: string): void {
    this.calls.push(call);
    this.#changed();
  }

  #changed(): void {
    for (const check of [...this.#waiting]) check();
  }
}

/** A publish that the handler got. Its payload is a copy. */
export interface RecordedPublish {
  readonly session: Session;
  readonly topic: string;
  readonly payload: string;
  readonly packet: Inbound["packet"];
}

/** The default app of the tests. */
export const testApp = "app";

/** The password that {@link ScriptedHandler} accepts as a token of `user`. */
export function passwordOf(user: string, app = testApp): string {
  return `${app}/${user}`;
}

/** Makes the session of an attempt with a {@link passwordOf}. Throws `unauthorized` for any other password. */
export function defaultSession(attempt: ConnectAttempt): Session {
  const [app, user] = attempt.password?.split("/") ?? [];
  if (!app || !user) throw new ChatError("unauthorized");
  return {
    app,
    user,
    clientId: attempt.clientId,
    admin: false,
    issuedAt: 1_000,
    expiresAt: Number.MAX_SAFE_INTEGER,
    tokenId: `token-of-${attempt.clientId}`,
  };
}
