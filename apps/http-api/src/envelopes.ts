import { conversationSchema, groupSchema, messageSchema } from "@chat21/protocol";
import * as z from "zod";
import { json, type Reply } from "./reply.ts";
import type { RouteAnswer } from "./route.ts";

/** The existing API's answer for success without a result. */
export const done: Reply = json(200, { success: true });

const success = z.literal(true);

/** {@link done}, for the documentation. */
export const doneAnswer: RouteAnswer = {
  description: "Done.",
  schema: z.object({ success }).meta({ id: "Done" }),
};

/** `{success, result}` around conversations. */
export const conversationsAnswer: RouteAnswer = {
  description: "Conversations, newest first.",
  schema: z.object({ success, result: z.array(conversationSchema) }).meta({ id: "ConversationsEnvelope" }),
};

/** `{success, result}` around messages. */
export const messagesAnswer: RouteAnswer = {
  description: "Messages, newest first. Each carries its `seq`, which `before` and `after` take.",
  schema: z.object({ success, result: z.array(messageSchema) }).meta({ id: "MessagesEnvelope" }),
};

/** `{success, result}` around a group. */
export const groupAnswer: RouteAnswer = {
  description: "The group.",
  schema: z.object({ success, result: groupSchema }).meta({ id: "GroupEnvelope" }),
};
