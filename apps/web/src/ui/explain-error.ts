import { ChatError, type ErrorCode } from "@chat21/protocol";

/** Explains an error in one sentence for the user. */
export function explainError(thrown: unknown): string {
  const error = ChatError.fromUnknown(thrown);
  return words[error.code] ?? error.message;
}

/** Sentences for error codes. Other codes use the message of the error itself. */
const words: Partial<Record<ErrorCode, string>> = {
  already_member: "That person is in the group already.",
  connection_lost: "The connection was lost. Try again once you are back online.",
  forbidden: "You may not do that.",
  internal: "Something went wrong. Try again.",
  invalid_id: "That is not a valid user id.",
  not_found: "That was not found.",
  not_member: "You are not a member of this group.",
  payload_too_large: "The message is too long.",
  rate_limited: "That was too fast. Wait a moment, then try again.",
  shutting_down: "The server is restarting. Try again in a moment.",
  storage_full: "The server's disk is full. Your message waits here until there is room.",
  store_unavailable: "The server cannot save anything right now. Try again in a moment.",
  timeout: "The server did not answer in time. Try again.",
};
