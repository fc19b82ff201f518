import * as z from "zod/mini";
import { defineSchema } from "./define-schema.ts";
import { conversWithSchema, idSchema } from "./id-schemas.ts";
import { limits } from "./limits.ts";

const seq = defineSchema(() => z.int().check(z.nonnegative()));

/**
 * Moves watermarks forward: everything up to `delivered` is on a device, everything up to `read` was seen. `read` also takes
 * the flag "unread" away that a user can set by hand. With `markedUnread: false` the reader saw no such flag: a mark that
 * moves nothing forward leaves it alone, because the mark may be a late repeat. Without it the flag always goes.
 */
export const markSchema = defineSchema(() =>
  z.object({
    conversWith: conversWithSchema,
    delivered: z.optional(seq),
    read: z.optional(seq),
    markedUnread: z.optional(z.boolean()),
  }),
);
export type Mark = z.infer<typeof markSchema>;

/**
 * Commands of a device over MQTT beyond P1-P6. Every command is answered on the device's answer topic. Kinds of events
 * bring further commands of their own: see `EventKind.command`.
 */
export const commandSchema = defineSchema(() =>
  z.discriminatedUnion("type", [
    z.object({
      type: z.literal("mark"),
      request_id: idSchema,
      marks: z.array(markSchema).check(z.minLength(1), z.maxLength(limits.marks)),
    }),
    z.object({
      type: z.literal("typing"),
      request_id: idSchema,
      conversWith: conversWithSchema,
      typing: z.boolean(),
    }),
  ]),
);
export type Command = z.infer<typeof commandSchema>;

/** The answer to a command or to a refused send. `code` is `ok` or one of `errorCodes`. */
export const answerSchema = defineSchema(() =>
  z.looseObject({
    request_id: z.optional(z.string()),
    client_message_id: z.optional(z.string()),
    code: z.string(),
    message: z.optional(z.string()),
    retry_after_ms: z.optional(z.number()),
  }),
);
export type Answer = z.infer<typeof answerSchema>;

/** The kinds of content of the ephemeral topic; never stored, never repeated. */
export const ephemeralSchemas = defineSchema(
  () =>
    [
      z.looseObject({
        type: z.literal("typing"),
        conversWith: z.string(),
        user: z.string(),
        typing: z.boolean(),
      }),
      z.looseObject({
        type: z.literal("presence"),
        user: z.string(),
        presence: z.literal(["online", "offline"]),
        last_seen: z.optional(z.number()),
      }),
      z.looseObject({
        type: z.literal("receipt"),
        conversWith: z.string(),
        user: z.string(),
        delivered: z.number(),
        read: z.number(),
      }),
    ] as const,
);

/** Content of the ephemeral topic: any of {@link ephemeralSchemas}. */
export const ephemeralSchema = defineSchema(() => z.union(ephemeralSchemas));
export type Ephemeral = z.infer<typeof ephemeralSchema>;
