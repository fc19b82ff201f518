import * as z from "zod/mini";
import { defineSchema } from "./define-schema.ts";

/**
 * The changes of a message by later events, beside its sender's text. `version` is the number of the last event that
 * changed it: a reader who holds the overlay skips events up to it, and applies the later ones. Unknown keys are for
 * later versions.
 */
export const overlaySchema = defineSchema(() =>
  z.looseObject({
    version: z.number(),
    /** The message was erased: its text is gone. `by` is the user who erased it, `at` the time (milliseconds). */
    deleted: z.optional(z.looseObject({ by: z.string(), at: z.number() })),
  }),
);
export type Overlay = z.infer<typeof overlaySchema>;
