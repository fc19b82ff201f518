import { isId } from "@chat21/protocol";

/**
 * Makes a user id from a name: `Ada Lovelace` becomes `ada-lovelace`. Empty when no letter of the name fits into an id.
 */
export function userIdFromName(name: string): string {
  const id = name
    .normalize("NFKD")
    .replace(/\p{M}+/gu, "")
    .toLowerCase()
    .replace(/[^a-z0-9_]+/gu, "-")
    .replace(/^-+|-+$/gu, "")
    .slice(0, maxLength);
  return isId(id) ? id : "";
}

/** Says, in words for the user, what is wrong with a typed id; `undefined` when it is valid. */
export function userIdProblem(id: string): string | undefined {
  if (id === "") return "Enter a user id.";
  if (id.length > maxLength) return `A user id has at most ${maxLength} characters.`;
  return isId(id)
    ? undefined
    : "Use letters, digits and - _ @ : = ~ ! , ; ( ) $ & ' (no spaces, not starting with $).";
}

const maxLength = 64;
