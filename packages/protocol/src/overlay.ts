import * as z from "zod/mini";
import { defineSchema } from "./define-schema.ts";

/**
 * A message as later events have changed it, beside the text that its sender wrote. `version` is the number of the last
 * event that changed it: a reader who holds the overlay skips events up to it, and applies the later ones. Keys that a
 * reader does not know are for later versions.
 */
export const overlaySchema = defineSchema(() =>
  z.looseObject({
    version: z.number(),
    /** The message was erased: its text is gone. `by` is who erased it, `at` when (milliseconds). */
    deleted: z.optional(z.looseObject({ by: z.string(), at: z.number() })),
  }),
);
export type Overlay = z.infer<typeof overlaySchema>;
