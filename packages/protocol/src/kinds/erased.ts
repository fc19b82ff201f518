import * as z from "zod/mini";
import { defineSchema } from "../define-schema.ts";
import { conversWithSchema, idSchema } from "../id-schemas.ts";
import { limits } from "../limits.ts";
import { rangeSchema } from "../range.ts";
import { defineEventKind } from "./event-kind.ts";

/** Erases messages for everybody: one's own, or any message as the group's owner. `seqs` are the messages' numbers. */
export const eraseCommandSchema = defineSchema(() =>
  z.object({
    type: z.literal("erase"),
    request_id: idSchema,
    conversWith: conversWithSchema,
    seqs: z.array(z.int().check(z.positive())).check(z.minLength(1), z.maxLength(limits.eraseSeqs)),
  }),
);
export type EraseCommand = z.infer<typeof eraseCommandSchema>;

/**
 * Messages were erased: their bodies are gone from every store, their numbers stay. `seqs` names them by inclusive
 * ranges, ascending; every number in a range is a message.
 *
 * Code 5 marked messages that older databases erased in place; a migration turns these marks into overlays.
 */
export const erased = defineEventKind({
  code: 6,
  data: defineSchema(() => z.looseObject({ seqs: z.array(rangeSchema) })),
  command: { type: "erase", schema: eraseCommandSchema },
});
