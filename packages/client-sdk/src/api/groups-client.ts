import type { Group } from "@chat21/protocol";
import { ChatError, groupSchema } from "@chat21/protocol";
import type { RestClient } from "../connection/rest.ts";
import { anything } from "../connection/rest.ts";
import type { Dispatch } from "../conversation/update.ts";
import { newId } from "../outbox/new-id.ts";
import type { ChatGroup, Groups, NewGroup } from "./groups.ts";

/** The parts that groups use. */
export interface GroupsOptions {
  readonly user: string;
  readonly rest: RestClient;
  readonly dispatch: Dispatch;
}

/** Groups over REST, and group notices of the inbox. */
export class GroupsClient implements Groups {
  readonly #options: GroupsOptions;
  readonly #known = new Map<string, ChatGroup>();

  constructor(options: GroupsOptions) {
    this.#options = options;
  }

  known(id: string): ChatGroup | undefined {
    return this.#known.get(id);
  }

  async create({ id = `group-${newId()}`, name, members, attributes }: NewGroup): Promise<ChatGroup> {
    const body = { group_id: id, group_name: name, group_members: memberMap(members), attributes };
    return this.handle(groupIn(await this.#call("POST", [], body)));
  }

  async get(id: string): Promise<ChatGroup> {
    return this.handle(groupIn(await this.#call("GET", [id])));
  }

  async addMember(id: string, user: string): Promise<void> {
    await this.#call("POST", [id, "members"], { member_id: user });
  }

  async setMembers(id: string, users: readonly string[]): Promise<void> {
    try {
      await this.#call("PUT", [id, "members"], { members: memberMap(users) });
    } catch (thrown) {
      // The members are already the wanted ones.
      if (!(thrown instanceof ChatError && thrown.code === "conflict")) throw thrown;
    }
  }

  async removeMember(id: string, user: string): Promise<void> {
    await this.#call("DELETE", [id, "members", user]);
  }

  leave(id: string): Promise<void> {
    return this.removeMember(id, this.#options.user);
  }

  async rename(id: string, name: string): Promise<void> {
    await this.#call("PUT", [id], { group_name: name });
  }

  async setAttributes(id: string, attributes: Readonly<Record<string, unknown>>): Promise<void> {
    await this.#call("PUT", [id, "attributes"], { attributes });
  }

  /** Stores a group's document. */
  handle(document: Group): ChatGroup {
    const group = projectGroup(document);
    const known = this.#known.get(group.id);
    // A repeated notice, e.g. over two connections.
    if (known !== undefined && JSON.stringify(known) === JSON.stringify(group)) return known;
    this.#known.set(group.id, group);
    this.#options.dispatch({ type: "group", group });
    return group;
  }

  #call(method: string, path: readonly string[], body?: unknown): Promise<unknown> {
    return this.#options.rest.call(
      method,
      [null, "groups", ...path],
      anything,
      body === undefined ? {} : { body },
    );
  }
}

function memberMap(users: readonly string[]): Record<string, 1> {
  return Object.fromEntries(users.map((user) => [user, 1]));
}

function groupIn(answer: unknown): Group {
  const { group, result } = answer as { readonly group?: unknown; readonly result?: unknown };
  const parsed = groupSchema.safeParse(group ?? result);
  if (!parsed.success) throw new ChatError("unsupported", "the server's answer holds no group");
  return parsed.data;
}

function projectGroup({
  uid,
  name,
  owner,
  members,
  createdOn,
  updatedOn,
  attributes = {},
}: Group): ChatGroup {
  // Old servers list the group among its own members.
  const users = Object.keys(members).filter((user) => user !== uid);
  return { id: uid, name, owner, members: users, createdOn, updatedOn, attributes };
}
