import * as z from "zod/mini";
import { defineSchema } from "./define-schema.ts";
import { isGroupId, isId } from "./ids.ts";
import { clientLimits } from "./limits.ts";

/** Schema of {@link isId}. */
export const idSchema = defineSchema(() =>
  z.string().check(
    z.refine(isId, {
      error: `expected 1-${clientLimits.idBytes} characters of A-Z a-z 0-9 _ - @ : = ~ ! , ; ( ) $ & '`,
    }),
  ),
);

/** Schema of {@link isGroupId}; also right for "a user's or a group's id". */
export const conversWithSchema = defineSchema(() =>
  z.string().check(
    z.refine(isGroupId, {
      error: `expected 1-${clientLimits.groupIdBytes} characters of A-Z a-z 0-9 _ - @ : = ~ ! , ; ( ) $ & '`,
    }),
  ),
);
