import * as z from "zod/mini";
import { defineSchema } from "../define-schema.ts";
import { defineEventKind } from "./event-kind.ts";

/** A member left a group or was removed. The event is the last one that the member sees. */
export const memberRemoved = defineEventKind({
  code: 4,
  data: defineSchema(() => z.looseObject({ member_id: z.string() })),
});
