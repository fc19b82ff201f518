import type { Clock, Log } from "@chat21/engine";
import { ChatError } from "@chat21/protocol";
import jwt from "jsonwebtoken";

const windowMs = 60_000;
const linesPerWindow = 10;

/** Tells the operator why tokens are refused: a line each, at most ten a minute; the next line counts the others. */
export class RefusalLog {
  readonly #log: Log;
  readonly #clock: Pick<Clock, "elapsed">;
  #since = Number.NEGATIVE_INFINITY;
  #lines = 0;
  #unsaid = 0;

  constructor(log: Log, clock: Pick<Clock, "elapsed">) {
    this.#log = log;
    this.#clock = clock;
  }

  /** Notes a refusal. Other errors are not about the token, and are left to their own log lines. */
  note(thrown: unknown): void {
    if (!(thrown instanceof ChatError) || thrown.code === "store_unavailable") return;
    const now = this.#clock.elapsed();
    if (now - this.#since >= windowMs) {
      this.#since = now;
      this.#lines = 0;
    }
    if (this.#lines >= linesPerWindow) {
      this.#unsaid += 1;
      return;
    }
    this.#lines += 1;
    const more = this.#unsaid === 0 ? {} : { refusedWithoutLine: this.#unsaid };
    this.#unsaid = 0;
    this.#log.warn({ code: thrown.code, reason: reasonOf(thrown), ...more }, "a token was refused");
  }
}

/** The rule that a token failed, without anything of the token. */
function reasonOf({ code, cause }: ChatError): string {
  if (code === "token_expired") return "exp is in the past of this machine's clock";
  if (code === "token_revoked") return "it was revoked";
  // A parser's message may repeat what it read; those of the library's own errors and of our rules do not.
  if (cause instanceof jwt.JsonWebTokenError || (cause instanceof Error && cause.name === "Error")) {
    return cause.message;
  }
  return "it is not a JSON Web Token";
}
