import type { VerifiedToken } from "@chat21/auth";
import {
  ChatError,
  conversationStateSchema,
  historyResponseSchema,
  limits,
  messageSchema,
  outgoingMessageSchema,
  outsideUserIdSchema,
  syncRequestSchema,
  syncResponseSchema,
  validate,
} from "@chat21/protocol";
import * as z from "zod";
import { milliseconds } from "../components.ts";
import { cursorQuery, eventsQuery, isOneWay, pageOf, readerParameter } from "../page-query.ts";
import { json, jsonList, jsonText } from "../reply.ts";
import { defineRoute, type Route } from "../route.ts";

const watermarks = {
  delivered: z
    .int()
    .nonnegative()
    .meta({ description: "Everything up to this number has arrived, 0 = nothing." }),
  read: z
    .int()
    .nonnegative()
    .meta({ description: "Everything up to this number has been read, 0 = nothing." }),
};

const archivedQuery = z
  .optional(z.enum(["true", "false"]))
  .meta({ description: "Only archived ones, or only active ones. Default both." });

const oneWay = { error: "cursor goes without before and after" };

const sentSchema = z
  .object({
    message_id: z.string(),
    seq: z.int().meta({ description: "Number in the conversation, from 1." }),
    epoch: z.string(),
    timestamp: z.int().meta({ description: milliseconds }),
    repeated: z
      .boolean()
      .meta({ description: "The `client_message_id` had been used: nothing new was stored." }),
    message: messageSchema,
  })
  .meta({ id: "SentMessage" });

/** The token's holder, or for an admin the user that is named. Throws `forbidden` for others who name one. */
function readerOf(actor: VerifiedToken, user: string | undefined): VerifiedToken {
  if (user === undefined || user === actor.user) return actor;
  if (!actor.admin) throw new ChatError("forbidden", "only an admin may name another user");
  return { ...actor, user };
}

/** Throws `bad_request` for values that only existing clients may send. What is no JSON is refused by the engine. */
function requireMessage(text: string): void {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return;
  }
  validate(outgoingMessageSchema, message);
}

/** Conversations, messages and catching up, for clients that know numbers. */
export const conversationRoutes: readonly Route[] = [
  defineRoute({
    id: "sync",
    api: "v1",
    method: "post",
    path: "/v1/{app}/sync",
    who: "app",
    needs: "read",
    summary:
      "What has changed for the caller since the cursor of an earlier answer, the newest change first.",
    body: syncRequestSchema,
    heavy: true,
    problems: ["invalid_cursor"],
    example: { body: {} },
    answers: {
      200: {
        description: "One item per changed conversation. With `more`, the answer's cursor asks for the rest.",
        schema: syncResponseSchema,
      },
    },
    async handle({ actor, body }, { engine }) {
      return jsonText(200, await engine.sync.sync(actor, body));
    },
  }),
  defineRoute({
    id: "listConversationStates",
    api: "v1",
    method: "get",
    path: "/v1/{app}/conversations",
    who: "app",
    problems: ["invalid_cursor"],
    summary:
      "The caller's conversations, newest first, or for an admin those of `user`; `before` and `after` are the last message's `timestamp`. Texts longer " +
      `than ${limits.listTextCharacters} characters are cut; the history has them whole.`,
    query: cursorQuery.extend({ archived: archivedQuery, user: readerParameter }).refine(isOneWay, oneWay),
    heavy: true,
    answers: {
      200: {
        description: "States. `cursor` asks for the next page; `null`: there is none.",
        schema: z
          .object({
            epoch: z.string(),
            conversations: z.array(conversationStateSchema),
            cursor: z.nullable(z.string()),
          })
          .meta({ id: "ConversationStates" }),
      },
    },
    handle({ actor, query }, { engine }) {
      const archived = query.archived === undefined ? null : query.archived === "true";
      const reader = readerOf(actor, query.user);
      return jsonList(200, {
        before: `{"epoch":${JSON.stringify(engine.epoch)},"conversations":[`,
        items: engine.conversations.states(reader, reader.user, archived, pageOf(query)),
        after: (cursor) => `],"cursor":${JSON.stringify(cursor)}}`,
      });
    },
  }),
  defineRoute({
    id: "listEvents",
    api: "v1",
    method: "get",
    path: "/v1/{app}/conversations/{conversWith}/events",
    who: "reader",
    problems: ["not_found"],
    summary:
      "Events of a conversation, oldest first; `before` and `after` are a `seq`. Without them the newest.",
    query: eventsQuery,
    heavy: true,
    answers: { 200: { description: "Events, and what they cover.", schema: historyResponseSchema } },
    async handle({ actor, params, query }, { engine }) {
      return jsonText(
        200,
        await engine.sync.events(readerOf(actor, query.user), params.conversWith, pageOf(query)),
      );
    },
  }),
  defineRoute({
    id: "postMessage",
    api: "v1",
    method: "post",
    path: "/v1/{app}/conversations/{conversWith}/messages",
    who: "member",
    needs: "send",
    problems: ["not_found", "not_member", "idempotency_conflict", "storage_full"],
    summary: "Sends a message to a user or a group. With a `client_message_id` it may be repeated safely.",
    query: z.strictObject({
      sender: z
        .optional(outsideUserIdSchema)
        .meta({ description: "Admins only: who sends. Default the token's user." }),
    }),
    text: outgoingMessageSchema,
    example: { body: { text: "Hello", type: "text", client_message_id: "1f6b" } },
    answers: { 201: { description: "Stored and delivered.", schema: sentSchema } },
    async handle({ actor, params, query, text }, { engine }) {
      requireMessage(text);
      const { sender } = query;
      const request = {
        recipient: params.conversWith,
        body: text,
        ...(sender === undefined ? {} : { sender }),
      };
      const { messageId, seq, epoch, timestamp, repeated, message } = await engine.messages.send(
        actor,
        request,
      );
      const head = JSON.stringify({ message_id: messageId, seq, epoch, timestamp, repeated });
      return jsonText(201, `${head.slice(0, -1)},"message":${message}}`);
    },
  }),
  defineRoute({
    id: "unarchive",
    api: "v1",
    method: "delete",
    path: "/v1/{app}/conversations/{conversWith}/archive",
    who: "app",
    summary: "Takes a conversation out of the caller's archive. No effect on one that is not archived.",
    answers: {
      200: {
        description: "It is in the list of active conversations.",
        schema: z.object({ archived: z.literal(false) }).meta({ id: "Unarchived" }),
      },
    },
    async handle({ actor, params }, { engine }) {
      await engine.conversations.unarchive(actor, actor.user, params.conversWith);
      return json(200, { archived: false });
    },
  }),
  defineRoute({
    id: "mark",
    api: "v1",
    method: "post",
    path: "/v1/{app}/conversations/{conversWith}/mark",
    who: "reader",
    problems: ["not_member"],
    query: z.strictObject({ user: readerParameter }),
    summary: "Moves the caller's watermarks forward; answers with the resulting ones.",
    body: z
      .strictObject({ delivered: z.optional(watermarks.delivered), read: z.optional(watermarks.read) })
      .meta({ id: "Marks" }),
    example: { body: { delivered: 1, read: 1 } },
    answers: {
      200: { description: "Watermarks.", schema: z.object(watermarks).meta({ id: "Watermarks" }) },
    },
    async handle({ actor, params, query, body }, { engine }) {
      const { delivered, read } = body;
      const reader = readerOf(actor, query.user);
      const marked = await engine.conversations.moveWatermarks(reader, reader.user, {
        conversWith: params.conversWith,
        ...(delivered === undefined ? {} : { delivered }),
        ...(read === undefined ? {} : { read }),
      });
      return json(200, { delivered: marked.delivered, read: marked.read });
    },
  }),
];
