import { userIdProblem } from "../sign-in/user-id.ts";

/** The ids of a typed list (commas, spaces or lines between them), each once, and the first that cannot be one. */
export function parseMembers(text: string): {
  readonly members: readonly string[];
  readonly wrong: string | undefined;
} {
  const members = [...new Set(text.split(/[\s,]+/u).filter((id) => id !== ""))];
  return { members, wrong: members.find((id) => userIdProblem(id) !== undefined) };
}
