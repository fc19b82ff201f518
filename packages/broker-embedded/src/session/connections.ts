import type {
  CloseReason,
  ConnectAttempt,
  Delivery,
  EdgeHandler,
  Inbound,
  Log,
  Metrics,
  Session,
  SessionSelector,
} from "@chat21/engine";
import { ChatError, type ErrorCode } from "@chat21/protocol";
import type { EdgeLimits } from "../edge-limits.ts";
import type { Acceptor } from "../listen/open-listener.ts";
import type { Transport } from "../transport/transport.ts";
import { type CloseCause, quietCauses } from "./close-cause.ts";
import { Connection, type ConnectionContext } from "./connection.ts";
import { FlushQueue } from "./flush-queue.ts";
import { LostAcknowledgements } from "./lost-acknowledgements.ts";
import { Networks } from "./networks.ts";
import { overfull } from "./queued-bytes.ts";
import { type RefusedConnect, RefusedConnects } from "./refused-connects.ts";
import { SessionIndex } from "./session-index.ts";
import { sweepEveryMs } from "./sweep.ts";
import { type UserLoad, UserLoads } from "./user-loads.ts";

/** All connections of an edge, from accept to the end of the transport. */
export class Connections implements ConnectionContext, Acceptor {
  readonly limits: EdgeLimits;
  readonly flushQueue = new FlushQueue();
  readonly #options: ConnectionsOptions;
  readonly #all = new Set<Connection>();
  readonly #index = new SessionIndex();
  readonly #networks = new Networks();
  readonly #loads = new UserLoads();
  readonly #refused: RefusedConnects;
  readonly #lost = new LostAcknowledgements();
  #paused = false;
  #nowMs = 0;
  /** Set when no more connections are accepted. Called when the last one is gone. */
  #handleEmpty: (() => void) | null = null;

  constructor(options: ConnectionsOptions) {
    this.#options = options;
    this.limits = options.limits;
    this.#refused = new RefusedConnects(options.limits.maxAuthFailuresPerMinute);
  }

  get paused(): boolean {
    return this.#paused;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  // For the edge

  hasRoom(): boolean {
    return this.#handleEmpty === null && this.#all.size < this.limits.maxConnections;
  }

  accept(transport: Transport): void {
    if (this.#networks.of(transport.address) >= this.limits.maxConnectionsPerAddress) {
      transport.destroy();
      return;
    }
    this.#networks.add(transport.address);
    this.#all.add(new Connection(transport, this));
  }

  reaches(app: string, user: string): boolean {
    return this.#index.of(app, user).length > 0;
  }

  deliver(deliveries: readonly Delivery[]): void {
    let text: string | null = null;
    let payload: Buffer | null = null;
    for (const delivery of deliveries) {
      for (const connection of this.#index.of(delivery.app, delivery.user)) {
        const granted = connection.qosOf(delivery.topic);
        if (granted === -1) continue;
        if (payload === null || delivery.payload !== text) {
          text = delivery.payload;
          payload = Buffer.from(text);
        }
        connection.deliver(delivery.topic, payload, granted === 0 ? 0 : delivery.qos);
      }
    }
  }

  disconnect(selector: SessionSelector, reason: CloseReason): number {
    const selected = this.#index.select(selector);
    for (const connection of selected) connection.close(reason);
    return selected.length;
  }

  setPaused(paused: boolean): void {
    if (paused === this.#paused) return;
    this.#paused = paused;
    if (!paused) for (const connection of this.#all) connection.proceed();
  }

  /**
   * Moves the clock by one step and closes connections that have been silent for too long. The clock counts sweeps, not
   * time: after the process itself was blocked, the clients' bytes are read before the clock moves on.
   */
  sweep(): void {
    this.#nowMs += sweepEveryMs;
    for (const connection of this.#all) connection.sweep();
    for (const connection of overfull(this.#all, this.limits)) connection.close("slow_consumer");
  }

  /**
   * Lets every connection settle its publishes and close. Resolves when all are gone. After `timeoutMs` the remaining
   * ones are cut off.
   */
  async drain(timeoutMs: number): Promise<void> {
    const empty = new Promise<void>((resolve) => {
      this.#handleEmpty = resolve;
    });
    for (const connection of this.#all) connection.drain();
    if (this.#all.size === 0) return;
    const cutOff = setTimeout(() => {
      for (const connection of this.#all) connection.destroy();
    }, timeoutMs);
    await empty;
    clearTimeout(cutOff);
  }

  // For the connections

  authenticate(attempt: ConnectAttempt): Promise<Session> {
    return this.#admit(attempt, "a CONNECT", () => this.#options.handler.authenticate(attempt));
  }

  renew(session: Session, attempt: ConnectAttempt): Promise<void> {
    return this.#admit(attempt, "an AUTH", () => this.#options.handler.renew(session, attempt));
  }

  refusalOf(session: Session, address: string): ChatError | null {
    if (this.#tell(() => this.#options.handler.isAdmitted(session)) !== true) {
      this.#options.metrics.count("connects_refused", { code: "token_revoked" });
      return new ChatError("token_revoked");
    }
    const { app, user, clientId, admin } = session;
    if (admin) return null;
    const { maxSessionsPerUser } = this.limits;
    const others = this.#index.of(app, user).filter((other) => other.session?.clientId !== clientId);
    if (others.length < maxSessionsPerUser) return null;
    this.#countRefused(address, "rate_limited", false);
    return new ChatError("rate_limited", `this user has ${maxSessionsPerUser} sessions already`);
  }

  /**
   * Asks first, and counts failures only: a good token is admitted, however many others of the same address have failed. Beyond the limit a failure is told `rate_limited`.
   */
  async #admit<T>(attempt: ConnectAttempt, what: string, ask: () => Promise<T>): Promise<T> {
    try {
      if (this.#handleEmpty !== null) throw new ChatError("shutting_down");
      return await ask();
    } catch (thrown) {
      const error = ChatError.fromUnknown(thrown);
      const { address, clientId } = attempt;
      const refused = this.#countRefused(address, error.code, !error.retryable);
      const fields = { code: error.code, address, clientId };
      if (error.code === "internal")
        this.#options.log.error({ ...fields, error: thrown }, `checking ${what} failed`);
      else this.#options.log[refused.isFirst ? "info" : "debug"](fields, `refused ${what}`);
      throw refused.isOneTooMany ? new ChatError("rate_limited") : error;
    }
  }

  handleRefusedConnect({ address }: Connection, level: number): void {
    const { isFirst } = this.#countRefused(address, "bad_request", false);
    this.#options.log[isFirst ? "info" : "debug"](
      { address, level },
      "refused a CONNECT that is malformed, of an unknown version or without a client id",
    );
  }

  /** Each address has one line of the log a minute. The metric counts all. */
  #countRefused(address: string, code: ErrorCode, isFailure: boolean): RefusedConnect {
    const refused = this.#refused.note(address, isFailure, this.#nowMs);
    this.#options.metrics.count("connects_refused", { code: refused.isOneTooMany ? "rate_limited" : code });
    return refused;
  }

  handleOpened(connection: Connection, session: Session): Set<number> | null {
    const { handler, log, metrics } = this.#options;
    const { app, user, clientId } = session;
    for (const other of this.#index.of(app, user)) {
      if (other.session?.clientId === clientId) other.close("taken_over");
    }
    this.#index.add(connection, session);
    metrics.count("sessions_opened");
    log.debug({ app, user, clientId, address: connection.address }, "a session was opened");
    this.#tell(() => handler.handleOpen(session));
    return this.#lost.take(session, this.#nowMs);
  }

  loadOf(session: Session): UserLoad {
    return this.#loads.open(session);
  }

  handleSettled(session: Session, load: UserLoad): void {
    this.#loads.forgetIdle(session);
    if (!load.isFull || load.inFlight >= this.limits.maxInFlightPublishesPerUser) return;
    load.isFull = false;
    for (const connection of this.#index.of(session.app, session.user)) connection.proceedIfHeld();
  }

  canSubscribe(session: Session, filter: string, qos: 0 | 1): boolean | undefined {
    const { handler, metrics } = this.#options;
    const allowed = this.#tell(() => handler.canSubscribe(session, filter, qos));
    if (allowed !== true) metrics.count("refused", { code: allowed === false ? "forbidden" : "internal" });
    return allowed;
  }

  handlePublish(session: Session, inbound: Inbound): Promise<void> {
    try {
      return this.#options.handler.handlePublish(session, inbound);
    } catch (thrown) {
      return Promise.reject(thrown);
    }
  }

  handleRefusedPublish(session: Session, error: ChatError): CloseCause {
    const { code, cause } = error;
    if (code === "forbidden" || code === "shutting_down") return code;
    const { app, user } = session;
    this.#options.log.error({ app, user, error: cause ?? error }, "handling a publish failed");
    return "internal";
  }

  handleClosed(connection: Connection, session: Session | null, cause: CloseCause, detail: string): void {
    const { handler, log, metrics } = this.#options;
    const level = quietCauses.has(cause) ? "debug" : "info";
    const fields = { cause, detail, address: connection.address };
    if (session === null) {
      log[level](fields, "a connection was closed before it had a session");
      return;
    }
    const { app, user, clientId } = session;
    this.#index.delete(connection, session);
    this.#loads.close(session);
    // Who says goodbye has nothing to send again.
    if (cause !== "disconnected") this.#lost.note(session, connection.unconfirmed, this.#nowMs);
    metrics.count("sessions_closed", { reason: cause });
    log[level]({ ...fields, app, user, clientId }, "a session was closed");
    this.#tell(() => handler.handleClose(session));
  }

  handleGone(connection: Connection): void {
    if (this.#all.delete(connection)) this.#networks.delete(connection.address);
    if (this.#all.size === 0) this.#handleEmpty?.();
  }

  /** Calls the handler. An error that it should never throw does not end the process. */
  #tell<T>(call: () => T): T | undefined {
    try {
      return call();
    } catch (thrown) {
      this.#options.log.error({ error: thrown }, "the handler of the edge threw an error");
      return undefined;
    }
  }
}

/** Parts and settings of {@link Connections}. */
export interface ConnectionsOptions {
  readonly handler: EdgeHandler;
  readonly limits: EdgeLimits;
  readonly log: Log;
  readonly metrics: Metrics;
}
