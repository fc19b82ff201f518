import type { Clock, Log } from "@chat21/engine";
import { ChatError } from "@chat21/protocol";
import jwt from "jsonwebtoken";
import { LineBudget } from "./line-budget.ts";

/** Tells the operator why tokens are refused: a line each, as many as {@link LineBudget} allows. */
export class RefusalLog {
  readonly #log: Log;
  readonly #budget: LineBudget;

  constructor(log: Log, clock: Pick<Clock, "elapsed">) {
    this.#log = log;
    this.#budget = new LineBudget(clock);
  }

  /** Notes a refusal. Other errors are not about the token, and are left to their own log lines. */
  note(thrown: unknown): void {
    if (!(thrown instanceof ChatError) || thrown.code === "store_unavailable") return;
    const line = this.#budget.take();
    if (line === null) return;
    const more = line.unsaid === 0 ? {} : { refusedWithoutLine: line.unsaid };
    this.#log.warn({ code: thrown.code, reason: tokenRefusal(thrown), ...more }, "a token was refused");
  }
}

/** The rule that a token failed, for the operator: without anything of the token. */
export function tokenRefusal({ code, cause }: ChatError): string {
  if (code === "token_expired") return "exp is in the past of this machine's clock";
  if (code === "token_revoked") return "it was revoked";
  // A parser's message may repeat what it read; those of the library's own errors and of our rules do not.
  if (cause instanceof jwt.JsonWebTokenError || (cause instanceof Error && cause.name === "Error")) {
    return cause.message;
  }
  return "it is not a JSON Web Token";
}
