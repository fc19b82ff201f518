/** Who a connection belongs to, for as long as it is open. */
export interface Session {
  readonly app: string;
  readonly user: string;
  /** MQTT client id: the device. */
  readonly clientId: string;
  /** May act for every user of the app. */
  readonly admin: boolean;
  /** Milliseconds; the engine closes the connection when it is reached. */
  readonly expiresAt: number;
  /** Milliseconds; 0 when the token does not say. */
  readonly issuedAt: number;
  /** `jti`; empty when the token has none. */
  readonly tokenId: string;
}

/** A CONNECT, before anybody is known. */
export interface ConnectAttempt {
  readonly clientId: string;
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** Peer address, for logs and limits. */
  readonly address: string;
  readonly will: { readonly topic: string; readonly payload: Uint8Array } | undefined;
}

/** One publish of a client. */
export interface Inbound {
  readonly topic: string;
  readonly payload: Uint8Array;
  /**
   * The broker hands it over again: an earlier process, or this one, may have stored it without acknowledging it.
   * @default false
   */
  readonly redelivered?: boolean;
  /**
   * Whether it is still this process' to decide. Asked after everything has been read that the decision rests on, so
   * that whoever was paused, and replaced meanwhile, decides on a head that is no longer the last (ADR 0010).
   * @default always
   */
  readonly isCurrent?: () => boolean;
}

/**
 * What an edge asks and tells the engine. Every method may be called for many sessions at once; calls of one session
 * come in the order of its packets.
 */
export interface EdgeHandler {
  /**
   * Decides on a CONNECT. Throws `ChatError` to refuse: `bad_request`/`invalid_id` (client id), `unauthorized`,
   * `token_expired`, `token_revoked`, `forbidden` (client id or will not allowed), `shutting_down`. The client is told
   * by CONNACK 2 (client id), 4 (token), 5 (forbidden) or 3 (anything else), then closed.
   */
  authenticate(attempt: ConnectAttempt): Promise<Session>;
  /** The connection is up (CONNACK sent). */
  handleOpen(session: Session): void;
  /** The connection is gone, in whatever way; called once per {@link handleOpen}. */
  handleClose(session: Session): void;
  /** Whether the filter may be subscribed. `false`: close the connection. */
  canSubscribe(session: Session, filter: string): boolean;
  /**
   * Takes a publish. Resolves when it may be acknowledged (committed, or refused with a typed answer). Rejects with
   * `ChatError` when the connection must be closed without acknowledgement: a topic that is foreign or unknown
   * (`forbidden`), or a server that stops, or to which the publish belongs no longer (`shutting_down`).
   * Acknowledgements leave in the order of the publishes.
   */
  handlePublish(session: Session, inbound: Inbound): Promise<void>;
  /**
   * Called by an edge before it takes publishes over that belonged to another process. Resolves when what that one had
   * committed, and not dispatched, is dispatched.
   */
  handleTakeover(): Promise<void>;
  /** The client with this id is gone, whoever it was: for an edge that does not see its clients' connections. */
  handleGone(clientId: string): Promise<void>;
}

/** One publish to one user's connections. */
export interface Delivery {
  readonly app: string;
  readonly user: string;
  readonly topic: string;
  /** JSON text. Consecutive deliveries often share the very same string: an edge encodes it once. */
  readonly payload: string;
  readonly qos: 0 | 1;
}

/** Which sessions to close; all given fields must match. */
export interface SessionSelector {
  readonly app?: string;
  readonly user?: string;
  readonly clientId?: string;
  readonly tokenId?: string;
  /** Sessions whose token was issued before (ms). */
  readonly issuedBefore?: number;
  /** Sessions whose token has expired at (ms). */
  readonly expiredAt?: number;
}

/** Why a session is closed; counted and logged. */
export type CloseReason = "expired" | "revoked" | "shutting_down" | "slow_consumer" | "forbidden";

/**
 * Where clients connect: MQTT 3.1.1 over TCP and WebSocket (sub-protocol `mqtt`). Never buffers without bound: a
 * connection that does not read is closed (`slow_consumer`) and its client catches up from history.
 *
 * A session lasts as long as its connection: CONNACK always says that none was present. Nothing is retained, and no
 * will is published. Who connects with the client id of an open connection of the same app and user takes its place;
 * another user's connection is left alone. QoS 2 is granted as 1, and a publish with it is promised what QoS 1 is. Who
 * breaks the protocol is closed, and nobody else notices.
 */
export interface Edge {
  /** Opens the listeners. Called once. Rejects with a clear message when an address cannot be had. */
  start(handler: EdgeHandler): Promise<void>;
  /** `false` only when surely no connection of that user is here. */
  reaches(app: string, user: string): boolean;
  /**
   * Hands deliveries to the connections that subscribed to the topic, in order per connection, once each however many
   * filters match, with the lower of both QoS. Does not wait for them: a live delivery is at most once per connection,
   * history has the rest. `undefined`: all are handed over. Otherwise resolves when a broker has taken them, and
   * rejects when that will not be known any more; the order of calls is kept in any case, waited for or not.
   */
  deliver(deliveries: readonly Delivery[]): Promise<void> | undefined;
  /**
   * For an edge that does not see its clients' connections (it never calls {@link EdgeHandler.handleOpen}): whether
   * somebody listens to each of these users, in order. @default the edge sees its connections
   */
  probe?(users: readonly { readonly app: string; readonly user: string }[]): Promise<readonly boolean[]>;
  /** Closes connections; returns how many. */
  disconnect(selector: SessionSelector, reason: CloseReason): number;
  /**
   * Stops reading publishes while the store is down, and starts again. Pings are answered meanwhile, as far as they can
   * be seen behind the publishes, and nobody is closed for not pinging. What a client had sent before it left is taken
   * when reading starts again.
   */
  setPaused(paused: boolean): void;
  /** Stops accepting, lets outstanding acknowledgements go out, closes everything. Idempotent. */
  close(timeoutMs: number): Promise<void>;
}
