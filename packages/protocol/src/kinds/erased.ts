import * as z from "zod/mini";
import { defineSchema } from "../define-schema.ts";
import { rangeSchema } from "../range.ts";
import { defineEventKind } from "./event-kind.ts";

/**
 * Messages were erased: their bodies are gone from every store, their numbers stay. `seqs` names them by inclusive
 * ranges, ascending; every number in a range is a message.
 *
 * Code 5 marked erased messages in place in older databases; a migration turns these into overlays.
 */
export const erased = defineEventKind({
  code: 6,
  data: defineSchema(() => z.looseObject({ seqs: z.array(rangeSchema) })),
});
