import * as z from "zod/mini";
import { defineSchema } from "../define-schema.ts";
import { defineEventKind } from "./event-kind.ts";

/** A group has a new name, new attributes, or (with neither) new members, who have events of their own. */
export const groupUpdated = defineEventKind({
  code: 2,
  data: defineSchema(() =>
    z.looseObject({ name: z.optional(z.string()), attributes: z.optional(z.looseObject({})) }),
  ),
});
