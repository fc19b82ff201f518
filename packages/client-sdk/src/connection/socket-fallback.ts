/** The part of a `WebSocket` that MQTT.js uses: an `EventTarget` with `open`, `message`, `error` and `close`. */
export interface FallbackSocket extends EventTarget {
  readonly OPEN: number;
  readonly readyState: number;
  /** Bytes that were written and have not left. */
  readonly bufferedAmount: number;
  binaryType: string;
  send(bytes: Uint8Array): void;
  close(): void;
}

/** Opens a socket for `mqttUrl` without WebSocket. */
export type SocketFallback = (mqttUrl: string, fetch: typeof globalThis.fetch) => FallbackSocket;
