import type { EventEmitter } from "node:events";

/** A byte stream to one client, over TCP, WebSocket or plain HTTP. */
export interface Transport {
  readonly kind: "sse" | "tcp" | "ws";
  /** Peer address. */
  readonly address: string;
  /** Bytes written that the kernel has not taken. */
  readonly bufferedBytes: number;
  /** Sets the owner. Called once, before anything is read. */
  attach(owner: TransportOwner): void;
  /** Writes the chunks in order. The caller must not change them afterwards. */
  write(chunks: readonly Buffer[]): void;
  /** Stops reading. */
  pause(): void;
  /** Starts reading again. */
  resume(): void;
  /** Called once in each of the edge's sweeps. Cuts off a peer that has vanished, where the kernel cannot notice it. */
  sweep(): void;
  /** Sends the buffered bytes, then closes. A peer that does not close its side is cut off after {@link lingerMs}. */
  end(): void;
  /** Closes at once. Buffered bytes are lost. */
  destroy(): void;
}

/** The owner of a transport. It is called from the event loop, never from inside a call to the transport. */
export interface TransportOwner {
  handleData(chunk: Buffer): void;
  /** The peer will send nothing more, and all its bytes have been handed over. */
  handleEnd(): void;
  /** The transport is gone. No call follows. */
  handleGone(): void;
}

/** Longest time a closing connection may take to send its last bytes. */
const lingerMs = 2_000;

/** Cuts off a closing peer after {@link lingerMs}, unless it has closed by then. */
export function limitLinger(closing: EventEmitter, cutOff: () => void): void {
  const timer = setTimeout(cutOff, lingerMs);
  timer.unref();
  closing.once("close", () => clearTimeout(timer));
}
