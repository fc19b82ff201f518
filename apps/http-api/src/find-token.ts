import type { Request } from "express";

/** Query parameters in which existing callers put a token, in the order in which they are read. */
const queryNames = ["jwt", "JWT", "token"];

/**
 * The token of a request: `Authorization`, raw or after `Bearer ` or `JWT `; and, where `fromQuery` allows it, the
 * query. `undefined` when there is none. A header hides the query, even when its token is bad.
 */
export function findToken(
  request: Request,
  { fromQuery }: { readonly fromQuery: boolean },
): string | undefined {
  const header = request.get("authorization");
  if (header !== undefined && header !== "") return header.replace(/^(?:bearer|jwt)\s+/i, "").trim();
  if (!fromQuery) return undefined;
  for (const name of queryNames) {
    const value = request.query[name];
    if (typeof value === "string" && value !== "") return value;
  }
  return undefined;
}
