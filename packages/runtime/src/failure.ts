import { ChatError } from "@chat21/protocol";

/** Exit codes of the process; `docs/cli.md` lists the same. */
export const exitCodes = {
  ok: 0,
  /** The command was understood and could not be done. */
  failure: 1,
  /** The command line itself is wrong. */
  usage: 2,
} as const;

/** An error that the operator can put right. The message is one line that says what is wrong and what to do. */
export class OperatorError extends Error {
  override readonly name = "OperatorError";

  constructor(message: string, options?: { readonly cause: unknown }) {
    super(message, options);
  }
}

/** The text of a failure on the command line: one line, and a stack only for unexpected errors. */
export function failureText(thrown: unknown): string {
  if (thrown instanceof OperatorError) return thrown.message;
  if (thrown instanceof ChatError && thrown.code !== "internal") return `${thrown.message} (${thrown.code})`;
  const detail = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  return `this was not foreseen, please report it: ${detail}`;
}

/** The `code` of a system error, or its message. */
export function codeOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  return "code" in thrown && typeof thrown.code === "string" ? thrown.code : thrown.message;
}
