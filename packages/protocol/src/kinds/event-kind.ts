import type * as z from "zod/mini";

/** The wire's side of a kind of event. The rules of a kind are in the engine, under the same name. */
export interface EventKind<Data extends z.ZodMiniType = z.ZodMiniType> {
  /** The number that stores keep, 0-62. Permanent: a number that was used is never given to another kind. */
  readonly code: number;
  /** Schema of the event's `data` on the wire; for a message, of its `message`. */
  readonly data: Data;
  /** The command by which clients make such an event. @default clients have none */
  readonly command?: { readonly type: string; readonly schema: z.ZodMiniType };
}

/** Checks a kind against {@link EventKind} and keeps its own types. */
/* @__NO_SIDE_EFFECTS__ */
export function defineEventKind<Data extends z.ZodMiniType>(kind: EventKind<Data>): EventKind<Data> {
  return kind;
}
