import type { User, UserProfile } from "@chat21/protocol";
import { OperatorError } from "@chat21/runtime";
import { localTime, printJson, printLine, printTable } from "../output.ts";
import { accessServer, type ServerOptions } from "../server-access.ts";

/** Options of `chat21 users put`. */
export interface PutUserOptions extends ServerOptions {
  readonly fullname?: string;
  readonly firstname?: string;
  readonly lastname?: string;
  readonly email?: string;
  readonly attributes?: string;
}

type ShowOptions = ServerOptions & { readonly json?: boolean };

const pageSize = 1_000;

/** Lists every user, page by page. */
export async function listUsers(options: ShowOptions): Promise<void> {
  const server = accessServer(options);
  const users: User[] = [];
  for (let after: string | null = ""; after !== null; ) {
    const query = `limit=${pageSize}${after === "" ? "" : `&after=${encodeURIComponent(after)}`}`;
    const page = (await server.call("GET", `v1/${options.app}/users?${query}`)) as {
      readonly users: readonly User[];
      readonly next: string | null;
    };
    if (options.json === true) for (const user of page.users) printJson(user);
    users.push(...page.users);
    after = page.next;
  }
  if (options.json === true) return;
  printTable(
    [
      { title: "id", value: (user) => user.id },
      { title: "name", value: (user) => user.fullname },
      { title: "since", value: (user) => localTime(user.created_at) },
    ],
    users,
  );
}

/** Shows one user. */
export async function showUser(user: string, options: ShowOptions): Promise<void> {
  const found = (await accessServer(options).call("GET", pathOf(options.app, user))) as User;
  if (options.json === true) return printJson(found);
  const { presence, last_seen: lastSeen = 0 } = found;
  const seen = lastSeen === 0 ? "never" : localTime(lastSeen);
  const facts: [string, string | undefined][] = [
    ["id", found.id],
    ["name", found.fullname],
    ["first name", found.firstname],
    ["last name", found.lastname],
    ["mail", found.email],
    ["attributes", found.attributes === undefined ? undefined : JSON.stringify(found.attributes)],
    ["since", localTime(found.created_at)],
    ["changed", localTime(found.updated_at)],
    ["presence", presence === "online" ? "online" : `offline, last seen ${seen}`],
  ];
  printTable(
    [
      { title: "", value: ([label]) => label },
      { title: "", value: ([, value]) => value ?? "" },
    ],
    facts.filter(([, value]) => value !== undefined),
  );
}

/** Adds a user or replaces the profile. */
export async function putUser(user: string, options: PutUserOptions): Promise<void> {
  const { fullname, firstname, lastname, email, attributes } = options;
  const profile: UserProfile = {
    ...(fullname === undefined ? {} : { fullname }),
    ...(firstname === undefined ? {} : { firstname }),
    ...(lastname === undefined ? {} : { lastname }),
    ...(email === undefined ? {} : { email }),
    ...(attributes === undefined ? {} : { attributes: parseObject("--attributes", attributes) }),
  };
  const stored = (await accessServer(options).call("PUT", pathOf(options.app, user), profile)) as User;
  if (options.json === true) printJson(stored);
  else printLine(`stored ${stored.id} (${stored.fullname})`);
}

/** Removes a user's profile. */
export async function deleteUser(user: string, options: ServerOptions): Promise<void> {
  const server = accessServer(options);
  // Removing is done once and for all, so that the server takes a repeat; a mistyped id is a mistake here.
  await server.call("GET", pathOf(options.app, user));
  await server.call("DELETE", pathOf(options.app, user));
  if (options.json === true) printJson({ removed: user });
  else
    printLine(`removed ${user}: profile gone, tokens ended; messages stay (chat21 erase removes them, too)`);
}

function pathOf(app: string, user: string): string {
  return `v1/${encodeURIComponent(app)}/users/${encodeURIComponent(user)}`;
}

function parseObject(option: string, text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>;
  } catch {
    // Reported below, like every other text that is no object.
  }
  throw new OperatorError(`${option}: expected a JSON object, got ${JSON.stringify(text.slice(0, 60))}`);
}
