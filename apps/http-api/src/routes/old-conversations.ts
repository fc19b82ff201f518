import { limits, userIdSchema } from "@chat21/protocol";
import * as z from "zod";
import { conversationsAnswer, done, doneAnswer } from "../envelopes.ts";
import { pageOf, pageQuery } from "../page-query.ts";
import { json, jsonList, jsonText, type ListReply, type Reply } from "../reply.ts";
import { type Caller, defineRoute, type Route, type RouteRequest } from "../route.ts";
import type { Services } from "../services.ts";

const open = '{"success":true,"result":[';
const close = "]}";
const databaseFailure = { failure: 501 };

type ListRequest = RouteRequest<"app" | "user", "self", z.output<typeof pageQuery>>;
type DetailRequest = RouteRequest<"app" | "user" | "conversWith", "self">;

function list(archived: boolean, { actor, params, query }: ListRequest, { engine }: Services): ListReply {
  const items = engine.conversations.list(actor, params.user, archived, pageOf(query));
  return jsonList(200, { before: open, items, after: () => close });
}

// The detail is a list of none or one (Q12).
async function detail(
  archived: boolean,
  { actor, params }: DetailRequest,
  { engine }: Services,
): Promise<Reply> {
  const { user, conversWith } = params;
  const found = await engine.conversations.get(actor, user, conversWith, archived);
  return jsonText(200, `${open}${found ?? ""}${close}`);
}

const lists = [
  ["listConversations", "/{app}/{user}/conversations", false, "A user's active conversations."],
  ["listArchived", "/{app}/{user}/conversations/archived", true, "A user's archived conversations."],
  [
    "listArchivedConversations",
    "/{app}/{user}/archived_conversations",
    true,
    "A user's archived conversations.",
  ],
] as const;

const details = [
  [
    "getConversation",
    "/{app}/{user}/conversations/{conversWith}",
    false,
    "One active conversation, in a list.",
  ],
  [
    "getArchivedConversation",
    "/{app}/{user}/archived_conversations/{conversWith}",
    true,
    "One archived conversation, in a list.",
  ],
] as const;

/** Conversations as existing clients read, archive and clear them. */
export const oldConversationRoutes: readonly Route[] = [
  ...lists.map(([id, path, archived, summary]) =>
    defineRoute({
      id,
      api: "v0",
      method: "get",
      path,
      who: "self" satisfies Caller,
      summary:
        `${summary} \`before\` and \`after\` are a conversation's \`timestamp\`. Texts longer than ` +
        `${limits.listTextCharacters} characters are cut.`,
      query: pageQuery,
      heavy: true,
      answers: { 200: conversationsAnswer },
      refusals: databaseFailure,
      handle: (request, services) => list(archived, request, services),
    }),
  ),
  ...details.map(([id, path, archived, summary]) =>
    defineRoute({
      id,
      api: "v0",
      method: "get",
      path,
      who: "self" satisfies Caller,
      summary,
      answers: { 200: conversationsAnswer },
      refusals: databaseFailure,
      handle: (request, services) => detail(archived, request, services),
    }),
  ),
  defineRoute({
    id: "archiveConversation",
    api: "v0",
    method: "delete",
    path: "/{app}/conversations/{conversWith}",
    who: "app",
    summary: "Archives a conversation of the caller; an admin may name another user in the body.",
    body: z.object({ user_id: z.optional(userIdSchema) }).meta({ id: "ArchiveRequest" }),
    answers: { 201: doneAnswer },
    async handle({ actor, params, body }, { engine }) {
      const user = actor.admin ? (body.user_id ?? actor.user) : actor.user;
      await engine.conversations.archive(actor, user, params.conversWith);
      return json(201, { success: true });
    },
  }),
  defineRoute({
    id: "clearConversationTimelines",
    api: "v0",
    method: "delete",
    path: "/{app}/{conversWith}/conversations/timelines",
    who: "admin",
    summary: "Takes a conversation off everybody's list until its next message.",
    answers: { 200: doneAnswer },
    refusals: { failure: 405 },
    async handle({ actor, params }, { engine }) {
      await engine.conversations.clear(actor, params.conversWith);
      return done;
    },
  }),
];
