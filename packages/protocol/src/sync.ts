import * as z from "zod/mini";
import { defineSchema } from "./define-schema.ts";
import { eventSchema } from "./event.ts";
import { conversWithSchema } from "./ids.ts";
import { limits } from "./limits.ts";
import { conversationSchema } from "./message.ts";

/** Where a reader stands in one conversation: the last number it holds, and the message id at that number. */
export const positionSchema = defineSchema(() =>
  z.object({
    seq: z.int().check(z.nonnegative()),
    message_id: z.optional(z.string()),
  }),
);
export type Position = z.infer<typeof positionSchema>;

/** `POST /api/v1/{app}/sync`. Conversations that are not named are answered with their newest events. */
export const syncRequestSchema = defineSchema(() =>
  z.object({
    /** Of the store the positions were read from; absent on first use. */
    epoch: z.optional(z.string()),
    positions: z.record(conversWithSchema, positionSchema).check(
      z.refine((map) => Object.keys(map).length <= limits.syncConversations, {
        error: "too many conversations",
      }),
    ),
    /** Events per conversation, at most; fewer when all together were more than `limits.syncEvents` or `syncCharacters`. @default 200 */
    limit: z.optional(z.int().check(z.minimum(1), z.maximum(limits.listMax))),
  }),
);
export type SyncRequest = z.infer<typeof syncRequestSchema>;

/** Inclusive. A number inside a covered range without an event is not for this user: never ask again. */
export const rangeSchema = defineSchema(() => z.tuple([z.number(), z.number()]));
export type Range = z.infer<typeof rangeSchema>;

/** A conversation's own facts beside its last message. */
export const conversationStateSchema = defineSchema(() =>
  z.looseObject({
    conversWith: z.string(),
    kind: z.enum(["direct", "group", "channel"]),
    head: z.number(),
    /** Messages of others that the user has not read, counted to 1,000 at most. */
    unread: z.number(),
    /** The user's own watermarks. */
    delivered: z.number(),
    read: z.number(),
    archived: z.boolean(),
    /** The counterpart's watermarks in a direct conversation. */
    counterpart: z.optional(z.object({ delivered: z.number(), read: z.number() })),
    /** Last message and list flags in the existing shape; absent when nothing is visible. */
    conversation: z.optional(conversationSchema),
  }),
);
export type ConversationState = z.infer<typeof conversationStateSchema>;

/** One conversation's answer: nothing new, the events since the position, or a fresh start. */
export const syncItemSchema = defineSchema(() =>
  z.discriminatedUnion("result", [
    z.looseObject({ result: z.literal("same"), state: conversationStateSchema }),
    z.looseObject({
      result: z.enum(["delta", "reset"]),
      state: conversationStateSchema,
      covered: z.array(rangeSchema),
      events: z.array(eventSchema),
    }),
  ]),
);
export type SyncItem = z.infer<typeof syncItemSchema>;

/** Answer of sync. */
export const syncResponseSchema = defineSchema(() =>
  z.looseObject({
    epoch: z.string(),
    /** Server clock, milliseconds. */
    now: z.number(),
    conversations: z.array(syncItemSchema),
  }),
);
export type SyncResponse = z.infer<typeof syncResponseSchema>;

/** `GET /api/v1/{app}/conversations/{conversWith}/events?before&after&limit`: oldest first. */
export const historyResponseSchema = defineSchema(() =>
  z.looseObject({
    epoch: z.string(),
    head: z.number(),
    covered: z.array(rangeSchema),
    events: z.array(eventSchema),
  }),
);
export type HistoryResponse = z.infer<typeof historyResponseSchema>;
