import { isId } from "@chat21/protocol";

const maxLength = 64;

/** The user id that a name stands for: `Ada Lovelace` becomes `ada-lovelace`. Empty when the name makes no id. */
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

/** What is wrong with a typed id, in words for its author; `undefined` when nothing is. */
export function userIdProblem(id: string): string | undefined {
  if (id === "") return "Enter a user id.";
  if (id.length > maxLength) return `A user id has at most ${maxLength} characters.`;
  return isId(id)
    ? undefined
    : "Use letters, digits and - _ @ : = ~ ! , ; ( ) $ & ' (no spaces, not starting with $).";
}
