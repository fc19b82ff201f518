import type { ConversationEvent } from "@chat21/protocol";
import type { Reducer } from "./reducer.ts";

/** The members of a group come with the group's document. */
export const membership: Reducer = () => undefined;

/** Whether the event made `user` a member: earlier messages are history for that user. */
export function isJoinOf(user: string, { type, data }: ConversationEvent): boolean {
  return type === "member_added" && data?.["member_id"] === user;
}
