import type { HistoryResponse, SyncRequest, SyncResponse } from "@chat21/protocol";

/** A page of a log; bounds exclusive. */
export interface HistoryRange {
  readonly after?: number;
  readonly before?: number;
  readonly limit: number;
}

/** The server's answers for a synchronizer. */
export interface SyncSource {
  sync(request: SyncRequest, signal: AbortSignal): Promise<SyncResponse>;
  events(conversWith: string, range: HistoryRange, signal?: AbortSignal): Promise<HistoryResponse>;
}
