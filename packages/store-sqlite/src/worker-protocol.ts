import type { EventCodes } from "@chat21/protocol";
import type { WorkerFailure } from "./worker/failure.ts";

/** Start data of a worker. */
export interface WorkerSetup {
  readonly role: "reader" | "writer";
  readonly path: string;
  /** The kinds of events that the program knows. */
  readonly kinds: EventCodes;
  /** The memory of `ConversationEnds`: it outlives a worker. */
  readonly ends: SharedArrayBuffer;
  /** Writer only: the largest size the database may have. */
  readonly maxBytes: number | undefined;
  /**
   * Reader only: descriptor of the database file, to sync it. The main thread opens it, because nobody may close one
   * while a connection lives: that would drop SQLite's POSIX locks on the file.
   */
  readonly databaseFile: number;
}

/** One call. `id` 0: a note that is not answered. */
export type WorkerRequest = readonly [id: number, method: string, args: readonly unknown[]];

/** The outcome of a call: a failure, or `null` and the value. `id` 0: a notice that nobody asked for. */
export type WorkerAnswer = readonly [id: number, failure: WorkerFailure | null, value: unknown];

/** First message of a worker. */
export type WorkerGreeting = { readonly epoch: string } | { readonly failure: WorkerFailure };
