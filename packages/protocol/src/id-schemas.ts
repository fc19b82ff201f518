import * as z from "zod/mini";
import { defineSchema } from "./define-schema.ts";
import { isGroupId, isId } from "./ids.ts";
import { clientLimits } from "./limits.ts";
import { isConversWith, isUserId, readConversWith, readUserId, toWireId } from "./user-id.ts";

/** Schema of {@link isId}. */
export const idSchema = defineSchema(() =>
  z.string().check(
    z.refine(isId, {
      error: `expected 1-${clientLimits.idBytes} characters of A-Z a-z 0-9 _ - @ : = ~ ! , ; ( ) $ & '`,
    }),
  ),
);

/** Schema of {@link isGroupId}. */
export const groupIdSchema = defineSchema(() =>
  z.string().check(
    z.refine(isGroupId, {
      error: `expected 1-${clientLimits.groupIdBytes} characters of A-Z a-z 0-9 _ - @ : = ~ ! , ; ( ) $ & '`,
    }),
  ),
);

/** A user's id in either form; what comes out is the form on the wire. See {@link readUserId}. */
export const userIdSchema = defineSchema(() =>
  z.string().check(
    z.overwrite((id) => readUserId(id) ?? id),
    z.refine(isUserId, {
      error: `expected a user's id of 1-${clientLimits.userIdBytes} bytes, escapes counted`,
    }),
  ),
);

/** A user's id outside; what comes out is the form on the wire. See {@link toWireId}. */
export const outsideUserIdSchema = defineSchema(() =>
  z.string().check(
    z.overwrite((id) => toWireId(id) ?? ""),
    z.refine((wire) => wire !== "", { error: "this can be no user's id, or could be two users'" }),
  ),
);

/** A user's or a group's id; a user's as in {@link userIdSchema}. */
export const conversWithSchema = defineSchema(() =>
  z.string().check(
    z.overwrite((id) => readConversWith(id) ?? id),
    z.refine(isConversWith, {
      error: `expected a user's or a group's id of 1-${clientLimits.groupIdBytes} bytes, escapes counted`,
    }),
  ),
);
