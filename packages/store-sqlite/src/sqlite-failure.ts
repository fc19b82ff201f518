import { ChatError } from "@chat21/protocol";
import { toFailure } from "./worker/failure.ts";

/** Turns an error of SQLite at work on `path` into a `ChatError` whose message says what to do. */
export function toChatError(thrown: unknown, path: string): ChatError {
  if (thrown instanceof ChatError) return thrown;
  const { code, message } = toFailure(thrown, path);
  return new ChatError(code, message, { cause: thrown });
}
