import { groupIdSchema, groupSchema, limits, readUserId, userIdSchema } from "@chat21/protocol";
import * as z from "zod";
import { done, doneAnswer, groupAnswer } from "../envelopes.ts";
import { json, jsonText } from "../reply.ts";
import { defineRoute, type Route } from "../route.ts";

const mandatory = (error: string) => z.string({ error }).min(1, { error });
const object = (error: string) => z.record(z.string(), z.unknown(), { error });

/** A member's id on the wire. The engine refuses what is none. */
const idOf = (named: string) => readUserId(named) ?? named;

const message = (text: string) => json(405, { err: { message: text } });

/** Refusals for changes of a group that does not exist or belongs to somebody else. */
const changeRefusals = {
  failure: 405,
  byCode: {
    not_found: message("Not found"),
    forbidden: message("Unauthorized"),
    not_member: message("Unauthorized"),
  },
};

const joinRefusal = (err: object) =>
  json(405, { success: false, err: { success: false, ...err }, http_status: 405 });

// The same answer for every reason: the reason would tell strangers which groups exist.
const noSuchMember = json(405, { success: false, err: "Not found", http_status: 404 });

const groupTaken = json(405, { success: false, err: "Group already exists" });

/** Groups as existing clients and backends make and change them. */
export const oldGroupRoutes: readonly Route[] = [
  defineRoute({
    id: "createGroup",
    api: "v0",
    method: "post",
    path: "/{app}/groups",
    who: "app",
    summary:
      "Creates a group. The caller becomes owner and member; an admin may name another owner, and does not join.",
    body: z
      .object({
        group_name: mandatory("group_name not present!"),
        group_members: object("group_members not present!"),
        group_id: z.optional(z.nullable(z.union([z.literal(""), groupIdSchema]))),
        group_owner: z.optional(z.nullable(userIdSchema)),
        attributes: z.optional(z.nullable(z.record(z.string(), z.unknown()))),
      })
      .meta({ id: "CreateGroupRequest" }),
    bodyBytes: limits.groupBodyBytes,
    example: { body: { group_name: "Team", group_members: { bob: 1 } } },
    answers: {
      201: {
        description: "The new group.",
        schema: z.object({ success: z.literal(true), group: groupSchema }).meta({ id: "CreatedGroup" }),
      },
    },
    problems: ["conflict"],
    refusals: { byCode: { conflict: groupTaken, forbidden: groupTaken } },
    async handle({ actor, body }, { engine }) {
      const { group_id: id, group_owner: owner, attributes } = body;
      const group = await engine.groups.create(actor, {
        name: body.group_name,
        members: Object.keys(body.group_members).map(idOf),
        ...(id ? { id } : {}),
        ...(actor.admin && owner ? { owner } : {}),
        ...(attributes ? { attributes: JSON.stringify(attributes) } : {}),
      });
      return jsonText(201, `{"success":true,"group":${group}}`);
    },
  }),
  defineRoute({
    id: "getGroup",
    api: "v0",
    method: "get",
    path: "/{app}/groups/{group}",
    who: "member",
    summary: "A group.",
    answers: { 200: groupAnswer },
    problems: ["not_found", "not_member"],
    refusals: { byCode: { not_found: json(404, { success: false, err: "Group doesn't exist" }) } },
    async handle({ actor, params }, { engine }) {
      return jsonText(200, `{"success":true,"result":${await engine.groups.get(actor, params.group)}}`);
    },
  }),
  defineRoute({
    id: "addGroupMember",
    api: "v0",
    method: "post",
    path: "/{app}/groups/{group}/members",
    who: "owner",
    summary: "Adds a member, who gets the newest messages.",
    body: z.object({ member_id: mandatory("member_id is mandatory!") }).meta({ id: "AddMemberRequest" }),
    example: { body: { member_id: "carol" } },
    answers: { 200: doneAnswer },
    problems: ["not_found", "already_member", "not_member"],
    refusals: {
      failure: 405,
      byCode: {
        not_found: joinRefusal({ err: "Not found", http_status: 404 }),
        already_member: joinRefusal({ err: "Already a member", http_status: 401 }),
        forbidden: joinRefusal({ err: "Not allowed" }),
        not_member: joinRefusal({ err: "Not allowed" }),
      },
    },
    async handle({ actor, params, body }, { engine }) {
      await engine.groups.addMember(actor, params.group, idOf(body.member_id));
      return done;
    },
  }),
  defineRoute({
    id: "setGroupMembers",
    api: "v0",
    method: "put",
    path: "/{app}/groups/{group}/members",
    who: "owner",
    summary: "Replaces the members.",
    body: z.object({ members: object("members is mandatory") }).meta({ id: "SetMembersRequest" }),
    bodyBytes: limits.groupBodyBytes,
    example: { body: { members: { alice: 1, carol: 1 } } },
    answers: { 200: doneAnswer },
    problems: ["not_found", "not_member", "conflict"],
    refusals: {
      ...changeRefusals,
      byCode: {
        ...changeRefusals.byCode,
        conflict: message("Same members in group, skipping setGroupMembers()"),
      },
    },
    async handle({ actor, params, body }, { engine }) {
      await engine.groups.setMembers(actor, params.group, Object.keys(body.members).map(idOf));
      return done;
    },
  }),
  defineRoute({
    id: "removeGroupMember",
    api: "v0",
    method: "delete",
    path: "/{app}/groups/{group}/members/{member}",
    who: "member",
    summary: "Removes a member: the owner and admins anybody, everybody else only oneself.",
    answers: { 200: doneAnswer },
    problems: ["not_found", "not_member"],
    refusals: {
      failure: 405,
      byCode: { not_found: noSuchMember, not_member: noSuchMember, forbidden: noSuchMember },
    },
    async handle({ actor, params }, { engine }) {
      await engine.groups.removeMember(actor, params.group, params.member);
      return done;
    },
  }),
  defineRoute({
    id: "renameGroup",
    api: "v0",
    method: "put",
    path: "/{app}/groups/{group}",
    who: "owner",
    summary: "Renames a group.",
    body: z.object({ group_name: mandatory("group_name is mandatory") }).meta({ id: "RenameGroupRequest" }),
    example: { body: { group_name: "Team 2" } },
    answers: { 200: doneAnswer },
    problems: ["not_found", "not_member"],
    refusals: changeRefusals,
    async handle({ actor, params, body }, { engine }) {
      await engine.groups.rename(actor, params.group, body.group_name);
      return done;
    },
  }),
  defineRoute({
    id: "setGroupAttributes",
    api: "v0",
    method: "put",
    path: "/{app}/groups/{group}/attributes",
    who: "owner",
    summary: "Replaces a group's attributes.",
    body: z.object({ attributes: object("attributes is mandatory") }).meta({ id: "SetAttributesRequest" }),
    example: { body: { attributes: { color: "blue" } } },
    answers: { 200: doneAnswer },
    problems: ["not_found", "not_member"],
    refusals: changeRefusals,
    async handle({ actor, params, body }, { engine }) {
      await engine.groups.setAttributes(actor, params.group, JSON.stringify(body.attributes));
      return done;
    },
  }),
];
