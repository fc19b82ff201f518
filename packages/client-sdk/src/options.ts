import type { Backoff } from "./backoff.ts";
import type { Clock } from "./clock.ts";
import type { Storage } from "./storage.ts";

/** Structured logging, level by method. Fields never hold texts of messages or tokens. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/** A token, or where to get one. A function is asked again before a token ends and when the server refuses one. */
export type TokenSource = string | (() => string | Promise<string>);

/** What `connect` needs. */
export interface ConnectOptions {
  /** Where the server is, e.g. `https://chat.example.com`: REST is taken from `/api`, MQTT from `/ws` below it. */
  readonly url: string;
  /** @default the token's `app_id` */
  readonly app?: string;
  readonly token: TokenSource;
  /** REST base with its `/api`. @default `${url}/api` */
  readonly apiUrl?: string;
  /** `ws:`, `wss:`, in Node also `mqtt:` or `mqtts:`. @default `${url}/ws` */
  readonly mqttUrl?: string;
  /** What the user's messages call the sender. @default the user's id */
  readonly fullname?: string;
  /** Keeps the outbox and the positions. @default memoryStorage() */
  readonly storage?: Storage;
  /** Stable per device. Not used with a token that is bound to a client id. @default made once and kept in `storage` */
  readonly deviceId?: string;
  /** Tells senders that their messages are on this device. @default true */
  readonly reportDelivery?: boolean;
  /**
   * Messages of one conversation that may be on the way at once. With 1 the send order holds whatever happens. More is
   * faster; then a message refused for now (`rate_limited`) may end up behind its followers. @default 1
   */
  readonly sendWindow?: number;
  /** Newest messages held per conversation; `loadOlder` adds to it. @default 500 */
  readonly heldMessages?: number;
  /** Resolve without waiting for the connection; `status` tells the rest. @default false */
  readonly offlineStart?: boolean;
  /** How long `connect` tries before it rejects with the last failure. Not with `offlineStart`. @default 30000 */
  readonly connectTimeoutMs?: number;
  /** Delay before a reconnect. @default exponential with full jitter, 500 ms to 30 s */
  readonly backoff?: Backoff;
  /** How often positions are compared with the server while online, in milliseconds. @default 300000 */
  readonly checkIntervalMs?: number;
  /** @default globalThis.fetch */
  readonly fetch?: typeof globalThis.fetch;
  /** @default silent */
  readonly log?: Log;
  /** @default the system's */
  readonly clock?: Clock;
  /** Gives up connecting, and closes the client later. */
  readonly signal?: AbortSignal;
}
