import * as z from "zod/mini";
import { defineSchema } from "./define-schema.ts";
import { messageSchema } from "./message.ts";
import { overlaySchema } from "./overlay.ts";

/**
 * One entry of a conversation's log in `…/event`, history and sync. A `message` event has `message`, unless the message
 * was erased, and `overlay` when later events changed it. Every other kind has `data`: see `eventKinds`.
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
    overlay: z.optional(overlaySchema),
    data: z.optional(z.looseObject({})),
  }),
);
export type ConversationEvent = z.infer<typeof eventSchema>;
