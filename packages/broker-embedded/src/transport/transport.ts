/** Who is told what happens on a transport. Called from the event loop, never from inside a call to the transport. */
export interface TransportOwner {
  handleData(chunk: Buffer): void;
  /** The peer will send nothing more, and everything it had sent was handed over. */
  handleEnd(): void;
  /** The transport is gone; nothing follows. */
  handleGone(): void;
}

/** A byte stream to one client, whatever carries it. */
export interface Transport {
  readonly kind: "tcp" | "ws";
  /** Peer address. */
  readonly address: string;
  /** Bytes written that the kernel has not taken. */
  readonly bufferedBytes: number;
  /** Called once, before anything is read. */
  attach(owner: TransportOwner): void;
  /** Writes the chunks in order. They belong to the transport from then on and are not changed. */
  write(chunks: readonly Buffer[]): void;
  /** Stops and starts reading. */
  pause(): void;
  resume(): void;
  /** Sends what is buffered, then closes; a peer that does not go along is cut off after {@link lingerMs}. */
  end(): void;
  /** Closes at once; what is buffered is lost. */
  destroy(): void;
}

/** How long a closing connection may take to let its last bytes out. */
export const lingerMs = 2_000;
