import type { Identity } from "@chat21/engine";
import type { OwnUse } from "@chat21/protocol";

/**
 * The use of the caller's own topics that a token's scopes must open before the token may call a route. `everything`:
 * reading and writing. `nothing`: every good token may call it.
 */
export type Need = OwnUse | "everything" | "nothing";

/** The need of a route that names none. */
export function usualNeed(method: string): Need {
  return method === "get" ? "read" : "write";
}

/**
 * Whether the scopes of a token open its holder's own topics as far as `need` says. That holds for admins, too: their role
 * gives them other people's, and the scopes say whether the token is for this server's messages at all.
 */
export function permits(holder: Pick<Identity, "app" | "scopes" | "user">, need: Need): boolean {
  const { scopes } = holder;
  if (scopes === undefined || need === "nothing") return true;
  if (need === "everything") return scopes.opensOwn("read", holder) && scopes.opensOwn("write", holder);
  return scopes.opensOwn(need, holder);
}
