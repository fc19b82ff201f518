import { ChatError, clientLimits, isId } from "@chat21/protocol";
import type { Backoff } from "../connection/backoff.ts";
import { exponentialBackoff } from "../connection/backoff.ts";
import type { Clock } from "../connection/clock.ts";
import { systemClock } from "../connection/clock.ts";
import type { SocketFallback } from "../connection/socket-fallback.ts";
import type { Storage } from "./storage.ts";
import { memoryStorage } from "./storage.ts";

/** Structured logging, level by method. Fields never hold texts of messages or tokens. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/** A token, or a source of tokens. A function is asked again before a token ends and when the server refuses one. */
export type TokenSource = string | (() => string | Promise<string>);

/** Options of `connect`. */
export interface ConnectOptions {
  /** Address of the server, e.g. `https://chat.example.com`: REST is taken from `/api`, MQTT from `/ws` below it. */
  readonly url: string;
  /** @default the token's `app_id` */
  readonly app?: string;
  readonly token: TokenSource;
  /** REST base with its `/api`. @default `${url}/api` */
  readonly apiUrl?: string;
  /** `ws:`, `wss:`, in Node also `mqtt:` or `mqtts:`. @default `${url}/ws` */
  readonly mqttUrl?: string;
  /**
   * Tried after WebSocket did not get through, in turns with it until one does: `eventStream` of
   * `@chat21/client-sdk/event-stream`. Only in browsers. @default WebSocket alone
   */
  readonly fallback?: SocketFallback;
  /** The sender's name in the user's messages. @default the user's id */
  readonly fullname?: string;
  /** Keeps the outbox, unconfirmed marks, the positions and the cursor. @default memoryStorage() */
  readonly storage?: Storage;
  /** Stable per device. Not used with a token that is bound to a client id. @default made once and kept in `storage` */
  readonly deviceId?: string;
  /** Tells senders that their messages are on this device. @default true */
  readonly reportDelivery?: boolean;
  /**
   * Messages of one conversation that may be on the way at once. With 1 the send order always holds. More is faster;
   * then a message that is refused for now (`rate_limited`) may end up behind later ones. @default 1
   */
  readonly sendWindow?: number;
  /**
   * Newest messages held per conversation; `loadOlder` adds to it. While a conversation has subscribers and unread
   * messages, up to 10,000 are held. @default 500
   */
  readonly heldMessages?: number;
  /**
   * Missed messages of one conversation that are still fetched and announced one by one after a time away. With more,
   * the conversation begins anew with its newest ones (`reset`). @default 2000
   */
  readonly maxCatchUp?: number;
  /**
   * Resolve without waiting for the connection; `status` tells the later changes. When the token provider fails or needs
   * more than 1 s, the client is that of the user who last signed in so with this `storage`. @default false
   */
  readonly offlineStart?: boolean;
  /**
   * Time that `connect` tries before it rejects with the last failure. With `offlineStart` only until the user is known.
   * @default 30000
   */
  readonly connectTimeoutMs?: number;
  /** Delay before a reconnect. @default exponential with full jitter, 500 ms to 30 s */
  readonly backoff?: Backoff;
  /** Interval in which the server is asked for changes while online, in milliseconds. @default 300000 */
  readonly checkIntervalMs?: number;
  /** @default globalThis.fetch */
  readonly fetch?: typeof globalThis.fetch;
  /** @default silent */
  readonly log?: Log;
  /** @default the system's clock */
  readonly clock?: Clock;
  /** Gives up connecting, and closes the client later. */
  readonly signal?: AbortSignal;
}

const silent: Log = { debug: () => undefined, info: () => undefined, warn: () => undefined };

/** Options with their defaults. */
export type ResolvedOptions = Required<
  Omit<ConnectOptions, "app" | "deviceId" | "fallback" | "fullname" | "signal" | "url">
> &
  Pick<ConnectOptions, "app" | "deviceId" | "fallback" | "fullname" | "signal">;

/** Defaults of the options of `connect`. `backoff` and `storage` are made anew for each client. */
const defaults = {
  reportDelivery: true,
  sendWindow: 1,
  heldMessages: 500,
  maxCatchUp: 2_000,
  offlineStart: false,
  connectTimeoutMs: 30_000,
  checkIntervalMs: 300_000,
} as const satisfies Partial<ConnectOptions>;

/** Checks options and fills in the defaults. Throws `bad_request` and `invalid_id`. */
export function resolveOptions({ url, ...options }: ConnectOptions): ResolvedOptions {
  const base = parseUrl("url", url, /^https?:$/);
  const resolved: ResolvedOptions = {
    ...defaults,
    apiUrl: `${base}/api`,
    mqttUrl: `${base.replace(/^http/, "ws")}/ws`,
    storage: memoryStorage(),
    backoff: exponentialBackoff(),
    // A browser's fetch wants to be called on its window.
    fetch: (...request) => globalThis.fetch(...request),
    log: silent,
    clock: systemClock,
    ...options,
  };
  parseUrl("apiUrl", resolved.apiUrl, /^https?:$/);
  parseUrl("mqttUrl", resolved.mqttUrl, /^(wss?|mqtts?):$/);
  for (const name of [
    "sendWindow",
    "heldMessages",
    "maxCatchUp",
    "connectTimeoutMs",
    "checkIntervalMs",
  ] as const) {
    if (resolved[name] >= 1) continue;
    throw new ChatError("bad_request", `${name}: expected a number from 1, got ${resolved[name]}`);
  }
  const { deviceId } = resolved;
  if (deviceId !== undefined && !isDeviceId(deviceId)) {
    throw new ChatError("invalid_id", "deviceId: expected 1-62 characters of the id alphabet");
  }
  return Object.freeze(resolved);
}

/** Marks the client id of a device's second connection, while it replaces the first. */
export const deviceSuffix = "~2";

/** Whether a device may have this id: 1-62 characters of the id alphabet. */
export function isDeviceId(value: unknown): value is string {
  return isId(value) && value.length <= clientLimits.idBytes - deviceSuffix.length;
}

function parseUrl(name: string, text: string, scheme: RegExp): string {
  if (URL.canParse(text) && scheme.test(new URL(text).protocol)) return text.replace(/\/+$/, "");
  throw new ChatError(
    "bad_request",
    `${name}: expected an address such as https://chat.example.com, got ${text}`,
  );
}
