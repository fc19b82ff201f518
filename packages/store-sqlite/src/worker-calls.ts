import type { ReaderMethods, ReaderSideMethods } from "./worker/reader-methods.ts";
import type { WriterMethods, WriterSideMethods } from "./worker/writer-methods.ts";
import type { Call } from "./worker-link.ts";

/** Calls a method of the writing thread. */
export type Write = Call<WriterMethods & WriterSideMethods>;

/** Calls a method of the reading thread. */
export type Read = Call<ReaderMethods & ReaderSideMethods>;
