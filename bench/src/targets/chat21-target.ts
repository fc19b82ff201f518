import { topics } from "@chat21/protocol";
import { issueToken } from "../load/token.ts";
import { app, type Target } from "./target.ts";

/** Addresses and secret of a running Chat21. */
export interface Chat21TargetOptions {
  readonly name: string;
  /** `mqtt://host:port` or `ws://host:port/ws`. */
  readonly url: string;
  /** Shared secret of its tokens. */
  readonly secret: string;
  /** Base of REST with `/api`; needed for groups only. */
  readonly apiUrl: string | undefined;
  readonly pids: readonly number[];
  /** @default none */
  readonly peers?: Readonly<Record<string, number>>;
}

/** A Chat21 that is already running: users subscribe to their inbox, groups are created over REST. */
export function openChat21Target(options: Chat21TargetOptions): Target {
  return {
    name: options.name,
    url: options.url,
    pids: options.pids,
    peers: options.peers ?? {},
    readyMs: null,
    password: (user) => issueToken(options.secret, app, user),
    filter: (user) => topics.inbox(app, user),
    createGroup: (group, members) => createGroup(options, group, members),
    close: async () => {},
  };
}

async function createGroup(options: Chat21TargetOptions, group: string, members: readonly string[]) {
  const response = await fetch(`${options.apiUrl}/${app}/groups`, {
    method: "POST",
    headers: {
      authorization: issueToken(options.secret, app, "bench-admin", { role: "admin" }),
      "content-type": "application/json",
    },
    body: JSON.stringify({
      group_id: group,
      group_name: group,
      group_owner: members[0],
      group_members: Object.fromEntries(members.map((member) => [member, 1])),
    }),
  });
  if (response.status !== 201) throw new Error(`creating ${group} was answered with ${response.status}`);
}
