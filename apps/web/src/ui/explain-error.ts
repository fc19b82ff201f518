import { ChatError, type ErrorCode } from "@chat21/client-sdk";

/** What a person can make of a code; the others speak for themselves. */
const words: Partial<Record<ErrorCode, string>> = {
  already_member: "That person is in the group already.",
  connection_lost: "The connection was lost. Try again once you are back online.",
  forbidden: "You may not do that.",
  internal: "Something went wrong. Try again.",
  invalid_id: "That is not a valid user id.",
  not_found: "There is no such thing here.",
  not_member: "You are not a member of this group.",
  payload_too_large: "The message is too long.",
  rate_limited: "That was too fast. Wait a moment, then try again.",
  shutting_down: "The server is restarting. Try again in a moment.",
  store_unavailable: "The server cannot save anything right now. Try again in a moment.",
  timeout: "The server did not answer in time. Try again.",
};

/** One sentence for the person in front of the screen. */
export function explainError(thrown: unknown): string {
  const error = ChatError.fromUnknown(thrown);
  return words[error.code] ?? error.message;
}
