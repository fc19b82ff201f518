import { userIdProblem } from "../sign-in/user-id.ts";

/** Splits a typed list at commas, spaces and line ends. Returns each id once, and the first invalid one. */
export function parseMembers(text: string): {
  readonly members: readonly string[];
  readonly wrong: string | undefined;
} {
  const members = [...new Set(text.split(/[\s,]+/u).filter((id) => id !== ""))];
  return { members, wrong: members.find((id) => userIdProblem(id) !== undefined) };
}
