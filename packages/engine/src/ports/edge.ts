import type { ChatError } from "@chat21/protocol";
import type { OwnTopics } from "../own-topics.ts";

/**
 * An open connection's user and rights. `EdgeHandler.renew` changes `admin`, `expiresAt`, `family`, `issuedAt`, `scopedTo` and `tokenId` of the
 * object.
 */
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
  /** `jti` of the token from which the session's descends by renewals. @default none */
  readonly family?: string | undefined;
  /** Where the token's scopes are narrower than its user's topics: what they leave of these. @default all */
  readonly scopedTo?: OwnTopics | undefined;
}

/** A CONNECT whose user is not known yet. */
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
   * The payload is larger than the edge takes, and `payload` is only its beginning.
   * @default false
   */
  readonly isCut?: boolean;
  /**
   * The broker hands it over again: an earlier process, or this one, may have stored it without acknowledging it.
   * @default false
   */
  readonly redelivered?: boolean;
  /**
   * The packet that carried it, of QoS 1 or 2. `isDuplicate`: the client says that it has sent the packet before, or it
   * has used the identifier over its last connection, and that one broke before it can have had the acknowledgement.
   * @default nothing is known of a packet
   */
  readonly packet?: { readonly id: number; readonly isDuplicate: boolean };
  /**
   * Called when the publish is refused with a typed answer, before it is settled: an edge whose protocol has a place for
   * the reason tells it there, too.
   * @default nobody asks
   */
  readonly onRefused?: (error: ChatError) => void;
  /**
   * Whether this process may still decide about it. It is asked after everything has been read that the decision rests
   * on. So a process that was paused, and replaced meanwhile, decides on a head that is no longer the last (ADR 0010).
   * @default always
   */
  readonly isCurrent?: () => boolean;
}

/**
 * The methods of the engine that an edge calls. Every method may be called for many sessions at once; calls of one
 * session come in the order of its packets.
 */
export interface EdgeHandler {
  /**
   * Decides on a CONNECT. Throws `ChatError` to refuse: `bad_request`/`invalid_id` (client id), `unauthorized`,
   * `token_expired`, `token_revoked`, `forbidden` (client id or will not allowed), `shutting_down`. The client is told
   * by CONNACK 2 (client id), 4 (token), 5 (forbidden) or 3 (anything else), then closed.
   */
  authenticate(attempt: ConnectAttempt): Promise<Session>;
  /**
   * Gives an open session another token of the same app and user (MQTT 5, re-authentication). Changes the session as
   * soon as the token is checked. Throws what {@link authenticate} throws, and `forbidden` for another app or user, and
   * for scopes that are narrower than the session's; the client is told, then closed.
   */
  renew(session: Session, attempt: ConnectAttempt): Promise<void>;
  /**
   * Whether the answer of {@link authenticate} still stands. An edge asks right before CONNACK, and opens the session in the
   * same turn: so no session of a token that was revoked meanwhile stays. `false`: CONNACK 4.
   */
  isAdmitted(session: Session): boolean;
  /** The connection is up (CONNACK sent). */
  handleOpen(session: Session): void;
  /** The connection is gone, for any reason. Called once per {@link handleOpen}. */
  handleClose(session: Session): void;
  /** Whether the filter may be subscribed with this QoS. `false`: SUBACK 0x80. */
  canSubscribe(session: Session, filter: string, qos: 0 | 1): boolean;
  /**
   * Takes a publish. Resolves when it may be acknowledged (committed, or refused with a typed answer). Rejects with
   * `ChatError` when the connection must be closed without acknowledgement: `forbidden` for a foreign topic,
   * `shutting_down` when the server stops or the publish belongs to another process now. Acknowledgements leave in the
   * order of the publishes.
   */
  handlePublish(session: Session, inbound: Inbound): Promise<void>;
  /**
   * Called by an edge before it takes over publishes of another process. Resolves when the events that the other
   * process had committed, but not dispatched, are dispatched.
   */
  handleTakeover(): Promise<void>;
  /** The client with this id is gone, for any user. It is for an edge that does not see its clients' connections. */
  handleGone(clientId: string): Promise<void>;
  /**
   * The client has connected to another process on the same store, which looks after its presence from now on. Its
   * connection here, if there is one, is closed next.
   */
  handleMoved(client: Pick<Session, "app" | "user" | "clientId">): void;
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

/** Selects the sessions to close; all given fields must match. */
export interface SessionSelector {
  readonly app?: string;
  readonly user?: string;
  readonly clientId?: string;
  /** Sessions of this token, and of those that descend from it by renewals. */
  readonly tokenId?: string;
  /** Sessions whose token was issued before this time (ms). */
  readonly issuedBefore?: number;
  /** Sessions whose token has expired at this time (ms). */
  readonly expiredAt?: number;
}

/** Why a session is closed; counted and logged. */
export type CloseReason =
  | "expired"
  | "revoked"
  | "shutting_down"
  | "slow_consumer"
  | "forbidden"
  /** The same client of the same user has connected again. */
  | "taken_over"
  /** Deliveries may have been missed: the client catches up from history when it connects again. */
  | "missed_deliveries";

/**
 * The place where clients connect: MQTT over TCP and WebSocket (sub-protocol `mqtt`). Never buffers without
 * bound: a connection that does not read is closed (`slow_consumer`) and its client catches up from history.
 *
 * A session lasts as long as its connection: CONNACK always says that none was present. Nothing is retained, and no
 * will is published. A new connection with the client id of an open connection of the same app and user replaces it;
 * another user's connection stays open. QoS 2 is granted as 1. A publish with QoS 2 that comes again before PUBREL is
 * not handed over again; over a new connection it gets the promises of QoS 1. A client that breaks the protocol is closed without effect on others.
 */
export interface Edge {
  /** Opens the listeners. Called once. Rejects with a clear message when it cannot listen on an address. */
  start(handler: EdgeHandler): Promise<void>;
  /** `false` only when this process surely has no connection of that user. */
  reaches(app: string, user: string): boolean;
  /**
   * Hands deliveries to the connections that subscribed to the topic, in order per connection. A connection gets each
   * one once, even if several filters match, with the lower of both QoS. Does not wait for them: a live delivery is at
   * most once per connection, history has the rest. `undefined`: all are handed over. Otherwise resolves when a broker
   * has taken them, and rejects when that can no longer be known. The order of calls is kept in both cases.
   */
  deliver(deliveries: readonly Delivery[]): Promise<void> | undefined;
  /**
   * For an edge that does not see its clients' connections (it never calls {@link EdgeHandler.handleOpen}): whether
   * each of these users has a listening client, in order. @default the edge sees its connections
   */
  probe?(users: readonly { readonly app: string; readonly user: string }[]): Promise<readonly boolean[]>;
  /** Closes connections; returns their number. */
  disconnect(selector: SessionSelector, reason: CloseReason): number;
  /**
   * Stops reading publishes while the store is down, and starts again. Meanwhile pings are answered as far as they can
   * be seen behind the publishes, and no client is closed for missing pings. Publishes that a client sent before it
   * left are taken when reading starts again.
   */
  setPaused(paused: boolean): void;
  /** Stops accepting, lets outstanding acknowledgements go out, closes everything. Idempotent. */
  close(timeoutMs: number): Promise<void>;
}
