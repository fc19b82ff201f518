/** Reasons why an item of an original database is not taken over; a report shows the sentence. */
export const originalRefusals = {
  app_missing: "names no app",
  conversation_mismatch: "its timeline is not that of its sender and recipient",
  document_gone: "vanished from the database during the import",
  group_attributes_too_large: "the group's attributes are larger than 100 KiB: the group comes without them",
  group_duplicate: "an older second document of the same group",
  group_id_like_a_users: "the group's id does not contain `group-`: a user could have the same",
  group_member_invalid: "a member's id has a form that is not allowed: the group comes without this member",
  group_owner_invalid: "the owner is missing or has an id that is not allowed: `system` owns the group",
  ids_too_long: "the ids together are too long for a broker's routing key",
  invalid_id: "an id is longer or has other characters than allowed",
  list_entry_without_messages: "a conversation on somebody's list of which no message is left",
  malformed: "a key has a value that the protocol does not allow",
  message_too_large: "larger than 100 KiB or nested deeper than 32 levels",
  native_events: "other events have the conversation's numbers in the new store already",
  time_missing: "has neither a timestamp nor an id that tells when it was made",
} as const;

/** One of {@link originalRefusals}. */
export type OriginalRefusal = keyof typeof originalRefusals;

/** An item that is not taken over. */
export interface Refused {
  readonly refused: OriginalRefusal;
  /** The key or id, where it helps to find the item. */
  readonly detail?: string;
}

/** Whether it is a refusal. */
export function isRefused(value: object): value is Refused {
  return "refused" in value;
}
