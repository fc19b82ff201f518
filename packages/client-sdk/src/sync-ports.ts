import type {
  ChatError,
  ConversationEvent,
  ConversationState,
  HistoryResponse,
  SyncRequest,
  SyncResponse,
} from "@chat21/protocol";

/** A page of a log; bounds exclusive. */
export interface HistoryRange {
  readonly after?: number;
  readonly before?: number;
  readonly limit: number;
}

/** Where a synchronizer asks. */
export interface SyncSource {
  sync(request: SyncRequest, signal: AbortSignal): Promise<SyncResponse>;
  events(conversWith: string, range: HistoryRange, signal?: AbortSignal): Promise<HistoryResponse>;
}

/** An event in its place: before it, everything was handed on. */
export interface ReleasedEvent {
  readonly event: ConversationEvent;
  /** `false`: history for this user, not to be announced. */
  readonly fresh: boolean;
}

/** Who is told. All calls are synchronous. */
export interface SyncSink {
  /** A comparison begins: states that {@link handleState} brings may be as old as this moment. */
  handleComparison(): void;
  /** Every event that arrives, also repeated and early ones. */
  handleArrival(event: ConversationEvent): void;
  /** The next events of a conversation, in order, each once. */
  handleReleased(conversWith: string, events: readonly ReleasedEvent[], origin: "live" | "sync"): void;
  /** What was held is replaced by `events`; `known` tells whether there was anything. */
  handleRestart(conversWith: string, events: readonly ConversationEvent[], known: boolean): void;
  handleState(state: ConversationState): void;
  /** The store was replaced, and this conversation is not in the new one. */
  handleGone(conversWith: string): void;
  handleError(error: ChatError): void;
}

/** Where a client stands; what a storage keeps. */
export interface Positions {
  readonly epoch: string;
  /** Server clock of the last comparison, milliseconds. */
  readonly checkedAt: number;
  readonly positions: SyncRequest["positions"];
}
