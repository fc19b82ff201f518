import * as z from "zod/mini";
import { defineSchema } from "./define-schema.ts";
import { groupIdSchema, idSchema } from "./id-schemas.ts";

const text = defineSchema(() => z.optional(z.nullable(z.string())));
// An object with any keys; `z.record` says the same and costs a browser 3 kB more.
const json = defineSchema(() => z.looseObject({}));

/**
 * P1: the message that a client publishes. Keys that are not listed, and values that only clients read, pass through
 * untouched, whatever they are: existing clients do not read a refusal.
 */
export const outgoingMessageSchema = defineSchema(() =>
  z.looseObject({
    text,
    type: text,
    recipient_fullname: text,
    sender_fullname: text,
    /** `group`; everything else is a direct message, unless the recipient's id is a group's. */
    channel_type: text,
    /**
     * Mostly an object. The engine reads three of its keys: `updateconversation: false` (stored and delivered, but the
     * list stays as it is), `hiddenFor` (the only member who never sees the message), `tempUID` (the client's own name for
     * it; echoed, and a receipt may name it).
     */
    attributes: z.optional(z.unknown()),
    metadata: z.optional(z.unknown()),
    language: z.optional(z.unknown()),
    /** Milliseconds, as a number or digits, or a date (ISO 8601); kept when it is near the server's clock, else replaced. */
    timestamp: z.optional(z.nullable(z.union([z.number(), z.string()]))),
    /** Inline group: delivers to `members` without creating a group. */
    group: z.optional(z.nullable(z.looseObject({ members: z.record(z.string(), z.unknown()) }))),
    /** The sender's idempotency key: the same id is stored once, for ever. */
    client_message_id: z.optional(z.nullable(idSchema)),
    /** The device that wants an error answered; not stored. */
    device: z.optional(z.nullable(idSchema)),
  }),
);
export type OutgoingMessage = z.infer<typeof outgoingMessageSchema>;

const anything = defineSchema(() => z.optional(z.unknown()));

/**
 * P1 as it is accepted: what only clients read passes in any form, as it always did, because existing clients do not
 * read a refusal. A `group` that is no object is none, unless it says something.
 */
export const acceptedMessageSchema = defineSchema(() =>
  z.extend(outgoingMessageSchema, {
    text: anything,
    type: anything,
    recipient_fullname: anything,
    sender_fullname: anything,
    channel_type: anything,
    timestamp: anything,
    group: z.optional(
      z.nullable(
        z.union([
          z.looseObject({ members: z.record(z.string(), z.unknown()) }),
          z.literal(""),
          z.literal(0),
          z.literal(false),
        ]),
      ),
    ),
    /** Only an id names a device. */
    device: anything,
  }),
);

/** Keys of a message that only the server writes. A client's values of them are cut out before any other step. */
export const serverKeys = [
  "_id",
  "__history",
  "app_id",
  "conversWith",
  "device",
  "epoch",
  "message_id",
  "recipient",
  "sender",
  "seq",
  "status",
  "timelineOf",
  "timestamp",
] as const;

/** S1 and REST: a message for its receivers. */
export const messageSchema = defineSchema(() =>
  z.looseObject({
    message_id: z.string(),
    sender: z.string(),
    recipient: z.string(),
    app_id: z.string(),
    /** Milliseconds, strictly increasing inside a conversation. */
    timestamp: z.number(),
    /** One of `messageStatus`. */
    status: z.number(),
    /** 1..n inside the conversation; absent only from servers older than this protocol. */
    seq: z.optional(z.number()),
    epoch: z.optional(z.string()),
    /** A text, from every client that we know; others may have sent anything, here and in the next four. */
    text: anything,
    type: anything,
    sender_fullname: anything,
    recipient_fullname: anything,
    channel_type: anything,
    attributes: anything,
    metadata: anything,
    client_message_id: text,
    timelineOf: text,
    conversWith: text,
    __history: text,
  }),
);
export type Message = z.infer<typeof messageSchema>;

/** P2: only `status: 200` has an effect. */
export const receiptSchema = defineSchema(() => z.looseObject({ status: z.number() }));

/** S2: a receipt on one of the receiver's own messages. */
export const receiptUpdateSchema = defineSchema(() =>
  z.looseObject({
    timelineOf: z.string(),
    message_id: z.string(),
    status: z.number(),
  }),
);
export type ReceiptUpdate = z.infer<typeof receiptUpdateSchema>;

/**
 * P3 and S3: read (`false`) or unread (`true`). Other keys are ignored. The server takes any value in P3, as the original
 * did, and writes a boolean in S3.
 */
export const conversationPatchSchema = defineSchema(() => z.looseObject({ is_new: z.boolean() }));

/** P5 and P6. Anything whose `connected` is falsy counts as offline. */
export const presenceSchema = defineSchema(() => z.looseObject({ connected: z.optional(z.unknown()) }));

/** A conversation in lists of REST, in S4 and in S5: its last message and facts about it. */
export const conversationSchema = defineSchema(() =>
  z.looseObject({
    timelineOf: z.string(),
    conversWith: z.string(),
    key: z.string(),
    is_new: z.boolean(),
    archived: z.boolean(),
    last_message_text: z.string(),
    timestamp: z.number(),
  }),
);
export type Conversation = z.infer<typeof conversationSchema>;

/** A group in answers of REST and in S6. `members` maps a user's id to the number 1. */
export const groupSchema = defineSchema(() =>
  z.looseObject({
    uid: groupIdSchema,
    name: z.string(),
    appId: z.string(),
    owner: z.string(),
    members: z.catchall(z.object({}), z.number()),
    createdOn: z.number(),
    updatedOn: z.number(),
    attributes: z.optional(json),
  }),
);
export type Group = z.infer<typeof groupSchema>;

/** A group in lists: how many members it has, and not who they are. */
export const groupSummarySchema = defineSchema(() =>
  z.looseObject({
    uid: groupIdSchema,
    name: z.string(),
    appId: z.string(),
    owner: z.string(),
    memberCount: z.number(),
    createdOn: z.number(),
    updatedOn: z.number(),
    attributes: z.optional(z.looseObject({})),
  }),
);
export type GroupSummary = z.infer<typeof groupSummarySchema>;
