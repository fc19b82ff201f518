import * as z from "zod/mini";
import { defineSchema } from "./define-schema.ts";
import { eventSchema } from "./event.ts";
import { limits } from "./limits.ts";
import { conversationSchema } from "./message.ts";
import { rangeSchema } from "./range.ts";

/** `POST /api/v1/{app}/sync`: asks for the caller's changes since an earlier answer. */
export const syncRequestSchema = defineSchema(() =>
  z.strictObject({
    /** `cursor` of the answer before. Opaque, and only valid for the same user. @default everything, newest first */
    cursor: z.optional(z.string().check(z.maxLength(limits.cursorCharacters))),
    /** Events of each conversation, at most; 0 asks for states alone. @default 200 */
    limit: z.optional(z.int().check(z.minimum(0), z.maximum(limits.listMax))),
  }),
);
export type SyncRequest = z.infer<typeof syncRequestSchema>;

/** A conversation's own facts beside its last message. */
export const conversationStateSchema = defineSchema(() =>
  z.looseObject({
    conversWith: z.string(),
    kind: z.literal(["direct", "group", "channel"]),
    /** The highest number that the user may see. */
    head: z.number(),
    /** Listed messages of others that the user has not read, counted up to `limits.unreadMax`. */
    unread: z.number(),
    /** The user's own watermarks. */
    delivered: z.number(),
    read: z.number(),
    archived: z.boolean(),
    /** The counterpart's watermarks in a direct conversation. */
    counterpart: z.optional(z.object({ delivered: z.number(), read: z.number() })),
    /** Last message and list flags in the existing shape; absent when the conversation is on no list. */
    conversation: z.optional(conversationSchema),
  }),
);
export type ConversationState = z.infer<typeof conversationStateSchema>;

/**
 * One changed conversation: its state, and the newest of the events since the cursor. `covered` lists the numbers that
 * the answer speaks of; a covered number without an event is not for this user. `behind`: some events since the cursor
 * did not fit. They lie below `covered`; `…/events` has them.
 */
export const syncItemSchema = defineSchema(() =>
  z.looseObject({
    state: conversationStateSchema,
    covered: z.array(rangeSchema),
    events: z.array(eventSchema),
    behind: z.optional(z.boolean()),
  }),
);
export type SyncItem = z.infer<typeof syncItemSchema>;

/**
 * Answer of sync: changed conversations, the one that changed last first, within `limits.answerBytes`. `more`: ask
 * again with `cursor` for the rest. `reset`: the store has another history (its `epoch` changed), so the cursor had no
 * meaning, and this answer begins with everything.
 */
export const syncResponseSchema = defineSchema(() =>
  z.looseObject({
    epoch: z.string(),
    /** Server clock, milliseconds. */
    now: z.number(),
    cursor: z.string(),
    more: z.boolean(),
    reset: z.optional(z.boolean()),
    conversations: z.array(syncItemSchema),
  }),
);
export type SyncResponse = z.infer<typeof syncResponseSchema>;

/** `GET /api/v1/{app}/conversations/{conversWith}/events?before&after&limit`: oldest first. */
export const historyResponseSchema = defineSchema(() =>
  z.looseObject({
    epoch: z.string(),
    head: z.number(),
    /** Inclusive. A number inside a covered range without an event is not for this user: never ask again. */
    covered: z.array(rangeSchema),
    events: z.array(eventSchema),
  }),
);
export type HistoryResponse = z.infer<typeof historyResponseSchema>;
