import type { SendRequest, SentMessage } from "@chat21/engine";
import { acceptedMessageSchema, messageSchema, readConversWith, userIdSchema } from "@chat21/protocol";
import * as z from "zod";
import { done, doneAnswer, messagesAnswer } from "../envelopes.ts";
import { pageOf, pageQuery } from "../page-query.ts";
import { json, jsonList, jsonText, type Reply } from "../reply.ts";
import { defineRoute, type Route } from "../route.ts";

const mandatory = (name: string) => {
  const error = `${name} is mandatory`;
  return z.string({ error }).min(1, { error });
};

const { text, type, channel_type, attributes, metadata, timestamp, client_message_id } =
  acceptedMessageSchema.shape;

const sendBody = z
  .object({
    sender_fullname: mandatory("Sender Fullname"),
    recipient_id: mandatory("Recipient id"),
    recipient_fullname: mandatory("Recipient Fullname"),
    text,
    type,
    channel_type,
    attributes,
    metadata,
    timestamp,
    client_message_id,
    /** The sender; only admins may choose it, for others it is ignored. */
    sender_id: z.optional(z.nullable(userIdSchema)),
  })
  .meta({ id: "SendRequest" });

/** The message that the existing API makes of a body: the same keys in the same order, without empty values. */
function toSend(body: z.output<typeof sendBody>, isAdmin: boolean): SendRequest {
  const message = {
    text: body.text,
    type: body.type,
    recipient_fullname: body.recipient_fullname,
    sender_fullname: body.sender_fullname,
    channel_type: body.channel_type || "direct",
    attributes: body.attributes || undefined,
    metadata: body.metadata || undefined,
    timestamp: body.timestamp || undefined,
    client_message_id: body.client_message_id ?? undefined,
  };
  const request = {
    recipient: readConversWith(body.recipient_id) ?? body.recipient_id,
    body: JSON.stringify(message),
  };
  return isAdmin && typeof body.sender_id === "string" ? { ...request, sender: body.sender_id } : request;
}

/** Adds numbers that have no place in the existing bodies. */
function withNumbers(reply: Reply, sent: SentMessage): Reply {
  const headers = {
    "x-chat21-message-id": sent.messageId,
    "x-chat21-seq": String(sent.seq),
    "x-chat21-epoch": sent.epoch,
  };
  return { ...reply, headers };
}

const example = {
  body: {
    sender_fullname: "Alice",
    recipient_id: "bob",
    recipient_fullname: "Bob",
    text: "Hello",
    type: "text",
  },
};

/** Messages as existing clients and backends send and read them. */
export const oldMessageRoutes: readonly Route[] = [
  defineRoute({
    id: "listMessages",
    api: "v0",
    method: "get",
    path: "/{app}/{user}/conversations/{conversWith}/messages",
    who: "self",
    summary: "Messages of a user with somebody or in a group, newest first.",
    query: pageQuery,
    heavy: true,
    answers: { 200: messagesAnswer },
    handle({ actor, params, query }, { engine }) {
      const items = engine.messages.list(actor, params.user, params.conversWith, pageOf(query));
      return jsonList(200, { before: '{"success":true,"result":[', items, after: () => "]}" });
    },
  }),
  defineRoute({
    id: "sendMessage",
    api: "v0",
    method: "post",
    path: "/{app}/messages",
    who: "app",
    needs: "send",
    summary:
      "Sends a message. Its id and number are in the headers `x-chat21-message-id`, `-seq` and `-epoch`.",
    body: sendBody,
    example,
    answers: { 200: doneAnswer },
    problems: ["not_member", "not_found", "idempotency_conflict"],
    refusals: { failure: 404 },
    async handle({ actor, body }, { engine }) {
      return withNumbers(done, await engine.messages.send(actor, toSend(body, actor.admin)));
    },
  }),
  defineRoute({
    id: "sendMessageSync",
    api: "v0",
    method: "post",
    path: "/{app}/messages/sync",
    who: "app",
    needs: "send",
    summary: "Sends a message and answers with the sender's copy. Endpoints in the query are not opened.",
    body: sendBody,
    example,
    answers: {
      200: {
        description: "The message.",
        schema: z.object({ success: z.literal(true), message: messageSchema }).meta({ id: "SentCopy" }),
      },
    },
    problems: ["not_member", "not_found", "idempotency_conflict"],
    refusals: { failure: 404 },
    async handle({ actor, body }, { engine }) {
      const sent = await engine.messages.send(actor, toSend(body, actor.admin));
      return withNumbers(jsonText(200, `{"success":true,"message":${sent.message}}`), sent);
    },
  }),
  defineRoute({
    id: "eraseMessageTimelines",
    api: "v0",
    method: "delete",
    path: "/{app}/{conversWith}/messages/timelines",
    who: "admin",
    summary: "Erases every message of a group, or with a user. Numbers stay.",
    answers: { 200: doneAnswer },
    refusals: { failure: 405 },
    async handle({ actor, params }, { engine }) {
      await engine.messages.erase(actor, params.conversWith);
      return json(200, { success: true });
    },
  }),
];
