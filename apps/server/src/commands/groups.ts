import type { Group, GroupSummary } from "@chat21/protocol";
import { localTime, printJson, printLine, printTable } from "../output.ts";
import { accessServer, type ServerAccess, type ServerOptions } from "../server-access.ts";

/** Options of `chat21 groups create`. */
export interface CreateGroupOptions extends ServerOptions {
  readonly owner: string;
  readonly id?: string;
}

/** A page of `GET /api/v1/{app}/groups`. */
interface GroupPage {
  readonly groups: readonly GroupSummary[];
  readonly next: string | null;
}

/** Lists the groups of the app, or those that a user is in. */
export async function listGroups(options: ServerOptions & { readonly user?: string }): Promise<void> {
  const server = accessServer(options);
  const groups: GroupSummary[] = [];
  for (let after: string | null | undefined; after !== null; ) {
    const query = new URLSearchParams({
      ...(options.user === undefined ? {} : { user: options.user }),
      ...(after === undefined ? {} : { after }),
    });
    const page = (await server.call("GET", `${groupsPath(options.app)}?${query}`)) as GroupPage;
    if (options.json === true) page.groups.forEach(printJson);
    else groups.push(...page.groups);
    after = page.next;
  }
  if (options.json === true) return;
  printTable(
    [
      { title: "id", value: (group) => group.uid },
      { title: "name", value: (group) => group.name },
      { title: "owner", value: (group) => group.owner },
      { title: "members", value: (group) => String(group.memberCount) },
      { title: "since", value: (group) => localTime(group.createdOn) },
    ],
    groups,
  );
}

/** Creates a group; the owner is a member. */
export async function createGroup(
  name: string,
  members: readonly string[],
  options: CreateGroupOptions,
): Promise<void> {
  const { owner, id } = options;
  const group = (await accessServer(options).call("POST", groupsPath(options.app), {
    name,
    members: [...new Set([owner, ...members])],
    owner,
    ...(id === undefined ? {} : { id }),
  })) as Group;
  if (options.json === true) printJson(group);
  else printLine(group.uid);
}

/** Shows a group. */
export async function showGroup(group: string, options: ServerOptions): Promise<void> {
  const found = await fetchGroup(accessServer(options), group);
  if (options.json === true) return printJson(found);
  const facts: [string, string][] = [
    ["id", found.uid],
    ["name", found.name],
    ["owner", found.owner],
    ["members", Object.keys(found.members).join(", ")],
    ["created", localTime(found.createdOn)],
    ["changed", localTime(found.updatedOn)],
    ...(found.attributes === undefined
      ? []
      : [["attributes", JSON.stringify(found.attributes)] as [string, string]]),
  ];
  printTable(
    [
      { title: "", value: ([label]) => label },
      { title: "", value: ([, value]) => value },
    ],
    facts,
  );
}

/** Lists the members, one a line. */
export async function listMembers(group: string, options: ServerOptions): Promise<void> {
  const { members } = await fetchGroup(accessServer(options), group);
  for (const user of Object.keys(members)) {
    if (options.json === true) printJson({ user });
    else printLine(user);
  }
}

/** Adds members one after the other; each gets the newest messages. */
export async function addMembers(
  group: string,
  users: readonly string[],
  options: ServerOptions,
): Promise<void> {
  const server = accessServer(options);
  for (const user of users) {
    await server.call("PUT", memberPath(options.app, group, user));
    if (options.json === true) printJson({ added: user });
    else printLine(`added ${user}`);
  }
}

/** Removes members one after the other. */
export async function removeMembers(
  group: string,
  users: readonly string[],
  options: ServerOptions,
): Promise<void> {
  const server = accessServer(options);
  for (const user of users) {
    await server.call("DELETE", memberPath(options.app, group, user));
    if (options.json === true) printJson({ removed: user });
    else printLine(`removed ${user}`);
  }
}

async function fetchGroup(server: ServerAccess, group: string): Promise<Group> {
  return (await server.call("GET", `${groupsPath(server.app)}/${encodeURIComponent(group)}`)) as Group;
}

function groupsPath(app: string): string {
  return `v1/${encodeURIComponent(app)}/groups`;
}

function memberPath(app: string, group: string, user: string): string {
  return `${groupsPath(app)}/${encodeURIComponent(group)}/members/${encodeURIComponent(user)}`;
}
