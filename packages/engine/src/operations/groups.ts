import { byteLength, ChatError, isGroupId, isUserId, limits, looksLikeGroupId } from "@chat21/protocol";
import { parseJsonObject } from "../decode-message.ts";
import type { Actor, CreateGroupRequest, GroupOperations, JsonItems } from "../engine.ts";
import { createGroup, joinedInfoMembers } from "../kinds/group-created.ts";
import type { Newcomer } from "../kinds/group-rights.ts";
import { requireGroup } from "../kinds/group-rights.ts";
import { renameGroup, setGroupAttributes, setMembers } from "../kinds/group-updated.ts";
import { addMember } from "../kinds/member-added.ts";
import { removeMember } from "../kinds/member-removed.ts";
import type { Decide } from "../kinds/plan.ts";
import type { OperationsContext } from "../operations-context.ts";
import { nameless, pageLimit, requireAdmin, requireSelf } from "../operations-context.ts";
import { groupFacts, groupJson, groupSummaryJson } from "../project-conversation.ts";
import { AnswerBudget } from "./answer-budget.ts";

/** Creating and changing groups. */
export function groupOperations(context: OperationsContext): GroupOperations {
  const change = async (actor: Actor, group: string, decide: Decide): Promise<void> => {
    context.requireService(actor.app);
    if (!isGroupId(group)) throw new ChatError("not_found", "there is no such group");
    await context.writer.write(actor.app, group, decide);
  };
  return {
    create: (actor, request) => create(context, actor, request),

    async get(actor, group) {
      if (!isGroupId(group)) throw new ChatError("not_found", "there is no such group");
      const state = await context.states.read(actor.app, group);
      const record = requireGroup(state);
      if (!actor.admin && !state.isMember(actor.user)) throw new ChatError("not_member");
      return groupJson(groupFacts(state, record), { withId: true });
    },

    list: (actor, page) => listGroups(context, actor, page),

    async addMember(actor, group, member) {
      requireMemberId(member);
      context.budgets.reach(actor.app, actor, 1);
      const [newcomer] = await named(context, actor.app, [member]);
      if (newcomer !== undefined) await change(actor, group, addMember(actor, newcomer));
    },

    async setMembers(actor, group, members) {
      const unique = [...new Set(members)];
      requireCount(unique);
      unique.forEach(requireMemberId);
      const present = await context.states.read(actor.app, group);
      const added = unique.filter((user) => !present.isMember(user));
      context.budgets.reach(actor.app, actor, added.length);
      const names = await named(context, actor.app, added);
      const contacts = new Map(names.map(({ user, contact }) => [user, contact]));
      const wanted = unique.map((user) => ({ user, contact: contacts.get(user) ?? nameless(user) }));
      await change(actor, group, setMembers(actor, wanted));
    },

    async removeMember(actor, group, member) {
      await change(actor, group, removeMember(actor, member));
    },

    async rename(actor, group, name) {
      requireName(name);
      await change(actor, group, renameGroup(actor, name));
    },

    async setAttributes(actor, group, attributes) {
      parseJsonObject(attributes);
      await change(actor, group, setGroupAttributes(actor, attributes));
    },
  };
}

/** Groups of one read: the store goes through the members of each to count them, up to 10,000. */
const stepGroups = 20;

async function* listGroups(
  { store }: OperationsContext,
  actor: Actor,
  { member, after, ...page }: Parameters<GroupOperations["list"]>[1],
): JsonItems {
  if (member === undefined) requireAdmin(actor);
  else requireSelf(actor, member);
  const { app } = actor;
  const budget = new AnswerBudget();
  let last = after;
  for (let left = pageLimit(page); left > 0; ) {
    const limit = Math.min(left, stepGroups);
    const query = { app, limit, ...(member === undefined ? {} : { member }) };
    const found = await store.conversations.groups(last === undefined ? query : { ...query, after: last });
    for (const record of found) {
      const text = groupSummaryJson(record);
      if (!budget.take(text)) return last ?? null;
      yield text;
      last = record.conversation;
    }
    if (found.length < limit) return null;
    left -= limit;
  }
  return last ?? null;
}

async function create(
  context: OperationsContext,
  actor: Actor,
  request: CreateGroupRequest,
): Promise<string> {
  context.requireService(actor.app);
  context.requireRoom();
  const id = request.id ?? `group-${context.newId()}`;
  if (!isGroupId(id)) throw new ChatError("invalid_id", "the group's id has a form that is not allowed");
  // Messages in a group stand under its id: a group with a possible user's id would let its members speak in that
  // user's place, and its members could have two conversations of one name.
  if (!looksLikeGroupId(id)) throw new ChatError("invalid_id", 'the id of a group contains "group-"');
  requireName(request.name);
  if (request.owner !== undefined && request.owner !== actor.user) requireAdmin(actor);
  const owner = request.owner ?? actor.user;
  requireMemberId(owner);
  if (request.attributes !== undefined) parseJsonObject(request.attributes);
  const users = new Set(request.members);
  if (!actor.admin) users.add(actor.user);
  const members = [...users].filter((user) => user !== id);
  requireCount(members);
  members.forEach(requireMemberId);
  context.budgets.reach(actor.app, actor, members.filter((user) => user !== actor.user).length);
  const wanted = {
    name: request.name,
    owner,
    creator: { user: actor.user, admin: actor.admin },
    members: await named(context, actor.app, members),
    attributes: request.attributes ?? null,
  };
  const { state } = await context.writer.write(actor.app, id, createGroup(wanted));
  return groupJson(groupFacts(state, requireGroup(state)), { withId: false });
}

/**
 * Names for info messages. They are only looked up where these messages are written, because a lookup may take long.
 */
async function named(
  { contacts }: OperationsContext,
  app: string,
  users: readonly string[],
): Promise<Newcomer[]> {
  const found = users.length <= joinedInfoMembers ? await contacts.lookup(app, users) : [];
  return users.map((user, i) => ({ user, contact: found[i] ?? nameless(user) }));
}

function requireMemberId(member: string): void {
  if (!isUserId(member)) throw new ChatError("invalid_id", "a member's id has a form that is not allowed");
}

function requireCount(members: readonly string[]): void {
  if (members.length > limits.groupMembers) {
    throw new ChatError("bad_request", `a group has at most ${limits.groupMembers} members`);
  }
}

function requireName(name: string): void {
  if (name.trim() === "" || byteLength(name) > limits.nameBytes) {
    throw new ChatError("bad_request", `a group's name has 1-${limits.nameBytes} bytes`);
  }
}
