import type { Identity } from "@chat21/engine";

/**
 * What a route needs of the caller's own topics, for the scopes of its token to open it: `read` its inbox, `send` where it
 * publishes messages, `write` all its topics that it publishes on, `everything` both, `nothing` what every good token may.
 */
export type Need = "everything" | "nothing" | "read" | "send" | "write";

/** What a route needs that does not say so. */
export function usualNeed(method: string): Need {
  return method === "get" ? "read" : "write";
}

/**
 * Whether the scopes of a token open its holder's own topics as far as `need` says. That holds for admins, too: their role
 * gives them other people's, and the scopes say whether the token is for this server's messages at all.
 */
export function permits(
  { app, user, scopes }: Pick<Identity, "app" | "scopes" | "user">,
  need: Need,
): boolean {
  if (scopes === undefined || need === "nothing") return true;
  const reads = () => scopes.opensAllKeys("read", `apps.${app}.users.${user}.`);
  const sends = () => scopes.opensAllKeys("write", `apps.${app}.outgoing.users.${user}.`);
  const writes = () => sends() && scopes.opensAllKeys("write", `apps.${app}.users.${user}.`);
  switch (need) {
    case "read":
      return reads();
    case "send":
      return sends();
    case "write":
      return writes();
    case "everything":
      return reads() && writes();
  }
}
