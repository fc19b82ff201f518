import * as z from "zod/mini";
import { defineSchema } from "../define-schema.ts";
import { defineEventKind } from "./event-kind.ts";

/** A user became a member of a group. */
export const memberAdded = defineEventKind({
  code: 3,
  data: defineSchema(() => z.looseObject({ member_id: z.string() })),
});
