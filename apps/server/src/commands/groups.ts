import type { Group } from "@chat21/protocol";
import { localTime, printJson, printLine, printTable } from "../output.ts";
import { accessServer, type ServerAccess, type ServerOptions } from "../server-access.ts";

/** Options of `chat21 groups create`. */
export interface CreateGroupOptions extends ServerOptions {
  readonly owner: string;
  readonly id?: string;
  readonly json?: boolean;
}

/** Creates a group; the owner is a member. */
export async function createGroup(
  name: string,
  members: readonly string[],
  options: CreateGroupOptions,
): Promise<void> {
  const { owner, id } = options;
  const answer = (await accessServer(options).call("POST", `${options.app}/groups`, {
    group_name: name,
    group_members: Object.fromEntries([owner, ...members].map((member) => [member, 1])),
    group_owner: owner,
    ...(id === undefined ? {} : { group_id: id }),
  })) as { readonly group: Group };
  if (options.json === true) printJson(answer.group);
  else printLine(answer.group.uid);
}

/** Shows a group. */
export async function showGroup(
  group: string,
  options: ServerOptions & { readonly json?: boolean },
): Promise<void> {
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
  for (const member of Object.keys(members)) printLine(member);
}

/** Adds members one after the other; each gets the newest messages. */
export async function addMembers(
  group: string,
  users: readonly string[],
  options: ServerOptions,
): Promise<void> {
  const server = accessServer(options);
  for (const user of users) {
    await server.call("POST", `${membersPath(options.app, group)}`, { member_id: user });
    printLine(`added ${user}`);
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
    await server.call("DELETE", `${membersPath(options.app, group)}/${encodeURIComponent(user)}`);
    printLine(`removed ${user}`);
  }
}

async function fetchGroup(server: ServerAccess, group: string): Promise<Group> {
  const answer = await server.call("GET", `${server.app}/groups/${encodeURIComponent(group)}`);
  return (answer as { readonly result: Group }).result;
}

function membersPath(app: string, group: string): string {
  return `${app}/groups/${encodeURIComponent(group)}/members`;
}
