import type { ConversationEvent } from "@chat21/protocol";
import type { Reducer } from "./reducer.ts";

/** Who is in a group comes with the group's document. */
export const membership: Reducer = () => undefined;

/** Whether the event made `user` a member: what was written before is history for that user. */
export function isJoinOf(user: string, { type, data }: ConversationEvent): boolean {
  return type === "member_added" && data?.["member_id"] === user;
}
