import {
  ChatError,
  type ErrorCode,
  groupIdSchema,
  groupSchema,
  groupSummarySchema,
  limits,
  outsideUserIdSchema,
} from "@chat21/protocol";
import * as z from "zod";
import { limitParameter, readerParameter } from "../page-query.ts";
import { empty, jsonList, jsonText } from "../reply.ts";
import { defineRoute, type Route } from "../route.ts";

const nameSchema = z.string().min(1).max(limits.nameBytes);
const attributesSchema = z.record(z.string(), z.unknown());
const memberIds = z.array(outsideUserIdSchema).max(limits.groupMembers);

const groupAnswer = { description: "The group.", schema: groupSchema };

/** What was wanted is the case already: a repeat is no failure. */
async function unless(code: ErrorCode, change: Promise<void>): Promise<void> {
  await change.catch((thrown: unknown) => {
    if (!(thrown instanceof ChatError && thrown.code === code)) throw thrown;
  });
}

/** Groups, for new code. */
export const groupRoutes: readonly Route[] = [
  defineRoute({
    id: "listGroups",
    api: "v1",
    method: "get",
    path: "/v1/{app}/groups",
    who: "app",
    summary:
      "Groups that the caller is a member of, ascending by id; for an admin those of `user`, or without it all of the " +
      "app. `next` is the `after` of the next page.",
    query: z.strictObject({
      limit: limitParameter,
      after: z
        .optional(z.string().max(limits.groupIdBytes))
        .meta({ description: "`next` of the page before: only groups behind this id." }),
      user: readerParameter.meta({ description: "Admins only: whose groups. Default all of the app." }),
    }),
    heavy: true,
    answers: {
      200: {
        description: "A page.",
        schema: z
          .object({ groups: z.array(groupSummarySchema), next: z.nullable(z.string()) })
          .meta({ id: "Groups" }),
      },
    },
    handle({ actor, query }, { engine }) {
      const { user, limit, after } = query;
      const member = user ?? (actor.admin ? undefined : actor.user);
      const page = {
        ...(limit === undefined ? {} : { limit }),
        ...(after === undefined ? {} : { after }),
        ...(member === undefined ? {} : { member }),
      };
      return jsonList(200, {
        before: '{"groups":[',
        items: engine.groups.list(actor, page),
        after: (next) => `],"next":${JSON.stringify(next)}}`,
      });
    },
  }),
  defineRoute({
    id: "postGroup",
    api: "v1",
    method: "post",
    path: "/v1/{app}/groups",
    who: "app",
    problems: ["conflict", "storage_full"],
    summary:
      "Creates a group. The caller becomes owner and member; an admin may name another owner, and does not join. With " +
      "an `id` it may be repeated safely.",
    body: z
      .strictObject({
        id: z.optional(groupIdSchema).meta({
          description: "Contains `group-`. Default `group-` and a UUID.",
        }),
        name: nameSchema,
        members: z.optional(memberIds),
        owner: z.optional(outsideUserIdSchema).meta({ description: "Admins only. Default the caller." }),
        attributes: z.optional(attributesSchema),
      })
      .meta({ id: "NewGroup" }),
    bodyBytes: limits.groupBodyBytes,
    example: { body: { name: "Team", members: ["bob"] } },
    answers: { 201: groupAnswer },
    async handle({ actor, body }, { engine }) {
      const { id, name, members = [], owner, attributes } = body;
      const group = await engine.groups.create(actor, {
        name,
        members,
        ...(id === undefined ? {} : { id }),
        ...(owner === undefined ? {} : { owner }),
        ...(attributes === undefined ? {} : { attributes: JSON.stringify(attributes) }),
      });
      return jsonText(201, group);
    },
  }),
  defineRoute({
    id: "readGroup",
    api: "v1",
    method: "get",
    path: "/v1/{app}/groups/{group}",
    who: "member",
    problems: ["not_found", "not_member"],
    summary: "A group with its members.",
    answers: { 200: groupAnswer },
    handle: async ({ actor, params }, { engine }) =>
      jsonText(200, await engine.groups.get(actor, params.group)),
  }),
  defineRoute({
    id: "patchGroup",
    api: "v1",
    method: "patch",
    path: "/v1/{app}/groups/{group}",
    who: "owner",
    problems: ["not_found", "not_member"],
    summary: "Renames a group, or replaces its attributes. What is absent stays.",
    body: z
      .strictObject({ name: z.optional(nameSchema), attributes: z.optional(attributesSchema) })
      .meta({ id: "GroupPatch" }),
    example: { body: { name: "Team 2" } },
    answers: { 200: groupAnswer },
    async handle({ actor, params, body }, { engine }) {
      const { name, attributes } = body;
      if (name !== undefined) await engine.groups.rename(actor, params.group, name);
      if (attributes !== undefined) {
        await engine.groups.setAttributes(actor, params.group, JSON.stringify(attributes));
      }
      return jsonText(200, await engine.groups.get(actor, params.group));
    },
  }),
  defineRoute({
    id: "putGroupMembers",
    api: "v1",
    method: "put",
    path: "/v1/{app}/groups/{group}/members",
    who: "owner",
    problems: ["not_found", "not_member"],
    summary: "Replaces the members.",
    body: z.strictObject({ members: memberIds }).meta({ id: "GroupMembers" }),
    bodyBytes: limits.groupBodyBytes,
    example: { body: { members: ["alice", "carol"] } },
    answers: { 204: { description: "These are the members." } },
    async handle({ actor, params, body }, { engine }) {
      await unless("conflict", engine.groups.setMembers(actor, params.group, body.members));
      return empty(204);
    },
  }),
  defineRoute({
    id: "putGroupMember",
    api: "v1",
    method: "put",
    path: "/v1/{app}/groups/{group}/members/{member}",
    who: "owner",
    problems: ["not_found", "not_member"],
    summary: "Adds a member, who gets the newest messages.",
    answers: { 204: { description: "The user is a member." } },
    async handle({ actor, params }, { engine }) {
      await unless("already_member", engine.groups.addMember(actor, params.group, params.member));
      return empty(204);
    },
  }),
  defineRoute({
    id: "deleteGroupMember",
    api: "v1",
    method: "delete",
    path: "/v1/{app}/groups/{group}/members/{member}",
    who: "member",
    problems: ["not_found", "not_member"],
    summary: "Removes a member: the owner and admins anybody, everybody else only oneself.",
    answers: { 204: { description: "The user is no member any more." } },
    async handle({ actor, params }, { engine }) {
      await engine.groups.removeMember(actor, params.group, params.member);
      return empty(204);
    },
  }),
];
