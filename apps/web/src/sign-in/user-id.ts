import { clientLimits, isId, toWireId } from "@chat21/protocol";

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
  if (toWireId(id) !== null) return undefined;
  return id.length > clientLimits.userIdBytes / 3
    ? `This user id is too long: ${clientLimits.userIdBytes} bytes at most, and each byte of a special character counts as three.`
    : "Choose another user id: this one could be two users' or a group's.";
}

/** Longest id that is made from a name. */
const maxLength = 64;
