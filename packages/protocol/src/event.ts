import * as z from "zod/mini";
import { defineSchema } from "./define-schema.ts";
import { messageSchema } from "./message.ts";

/** Kinds of entries in a conversation's log. A reader skips kinds it does not know; they still take a number. */
export const eventTypes = [
  "message",
  "group_created",
  "group_updated",
  "member_added",
  "member_removed",
  "erased",
] as const;

/** One of {@link eventTypes}. */
export type EventType = (typeof eventTypes)[number];

/**
 * One entry of a conversation's log as `…/event`, history and sync carry it. `message` is there for the type
 * `message`, `data` for every other: `group_created` and `group_updated` hold the group, `member_added` and
 * `member_removed` a `member_id`, `erased` nothing.
 */
export const eventSchema = defineSchema(() =>
  z.looseObject({
    type: z.string(),
    conversWith: z.string(),
    seq: z.number(),
    epoch: z.string(),
    timestamp: z.number(),
    sender: z.string(),
    message: z.optional(messageSchema),
    data: z.optional(z.looseObject({})),
  }),
);
export type ConversationEvent = z.infer<typeof eventSchema>;
