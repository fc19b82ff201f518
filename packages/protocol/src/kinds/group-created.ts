import * as z from "zod/mini";
import { defineSchema } from "../define-schema.ts";
import { defineEventKind } from "./event-kind.ts";

/** A group was created, or one that messages had begun became a stored group. */
export const groupCreated = defineEventKind({
  code: 1,
  data: defineSchema(() => z.looseObject({ name: z.string(), owner: z.string() })),
});
