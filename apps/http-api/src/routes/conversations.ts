import {
  conversationStateSchema,
  historyResponseSchema,
  idSchema,
  limits,
  messageSchema,
  outgoingMessageSchema,
  syncRequestSchema,
  syncResponseSchema,
} from "@chat21/protocol";
import * as z from "zod";
import { cursorQuery, isOneWay, pageOf, pageQuery } from "../page-query.ts";
import { json, jsonList, jsonText } from "../reply.ts";
import { defineRoute, type Route } from "../route.ts";

const watermark = z.int().nonnegative();

const archivedQuery = z
  .optional(z.enum(["true", "false"]))
  .meta({ description: "Only archived ones, or only active ones. Default both." });

const oneWay = { error: "cursor goes without before and after" };

const sentSchema = z.object({
  message_id: z.string(),
  seq: z.number(),
  epoch: z.string(),
  timestamp: z.number(),
  repeated: z
    .boolean()
    .meta({ description: "The `client_message_id` had been used: nothing new was stored." }),
  message: messageSchema,
});

/** Conversations, messages and catching up, for clients that know numbers. */
export const conversationRoutes: readonly Route[] = [
  defineRoute({
    id: "sync",
    api: "v1",
    method: "post",
    path: "/v1/{app}/sync",
    who: "app",
    summary:
      "What has changed for the caller since the cursor of an earlier answer, the newest change first.",
    body: syncRequestSchema,
    heavy: true,
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
    summary:
      "The caller's conversations, newest first; `before` and `after` are the last message's `timestamp`. Texts longer " +
      `than ${limits.listTextCharacters} characters are cut; the history has them whole.`,
    query: cursorQuery.extend({ archived: archivedQuery }).refine(isOneWay, oneWay),
    heavy: true,
    answers: {
      200: {
        description: "States. `cursor` asks for the next page; `null`: there is none.",
        schema: z.object({
          epoch: z.string(),
          conversations: z.array(conversationStateSchema),
          cursor: z.nullable(z.string()),
        }),
      },
    },
    handle({ actor, query }, { engine }) {
      const archived = query.archived === undefined ? null : query.archived === "true";
      return jsonList(200, {
        before: `{"epoch":${JSON.stringify(engine.epoch)},"conversations":[`,
        items: engine.conversations.states(actor, actor.user, archived, pageOf(query)),
        after: (cursor) => `],"cursor":${JSON.stringify(cursor)}}`,
      });
    },
  }),
  defineRoute({
    id: "listEvents",
    api: "v1",
    method: "get",
    path: "/v1/{app}/conversations/{conversWith}/events",
    who: "member",
    summary:
      "Events of a conversation, oldest first; `before` and `after` are a `seq`. Without them the newest.",
    query: pageQuery,
    heavy: true,
    answers: { 200: { description: "Events, and what they cover.", schema: historyResponseSchema } },
    async handle({ actor, params, query }, { engine }) {
      return jsonText(200, await engine.sync.events(actor, params.conversWith, pageOf(query)));
    },
  }),
  defineRoute({
    id: "postMessage",
    api: "v1",
    method: "post",
    path: "/v1/{app}/conversations/{conversWith}/messages",
    who: "member",
    summary: "Sends a message to a user or a group. With a `client_message_id` it may be repeated safely.",
    query: z.object({ sender: z.optional(idSchema) }),
    text: outgoingMessageSchema,
    example: { body: { text: "Hello", type: "text", client_message_id: "1f6b" } },
    answers: { 201: { description: "Stored and delivered.", schema: sentSchema } },
    async handle({ actor, params, query, text }, { engine }) {
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
    id: "mark",
    api: "v1",
    method: "post",
    path: "/v1/{app}/conversations/{conversWith}/mark",
    who: "member",
    summary: "Moves the caller's watermarks forward; answers with the resulting ones.",
    body: z.object({ delivered: z.optional(watermark), read: z.optional(watermark) }),
    example: { body: { delivered: 1, read: 1 } },
    answers: {
      200: { description: "Watermarks.", schema: z.object({ delivered: watermark, read: watermark }) },
    },
    async handle({ actor, params, body }, { engine }) {
      const { delivered, read } = body;
      const marked = await engine.conversations.moveWatermarks(actor, actor.user, {
        conversWith: params.conversWith,
        ...(delivered === undefined ? {} : { delivered }),
        ...(read === undefined ? {} : { read }),
      });
      return json(200, { delivered: marked.delivered, read: marked.read });
    },
  }),
];
