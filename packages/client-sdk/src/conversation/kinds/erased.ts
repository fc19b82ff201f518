import { eventKinds } from "@chat21/protocol";
import { deleteMessage } from "../project-message.ts";
import type { Reducer } from "./reducer.ts";

/** Deleted messages keep their places and lose what their senders wrote. */
export const erased: Reducer = (conversation, event) => {
  const data = eventKinds.erased.data.safeParse(event.data);
  if (data.success) conversation.amend(event, data.data.seqs, deleteMessage);
};
