import type { Range } from "@chat21/protocol";
import { rangeSchema } from "@chat21/protocol";
import { deleteMessage } from "../project-message.ts";
import type { Reducer } from "./reducer.ts";

/** Deleted messages keep their places and lose their senders' text. */
export const erased: Reducer = (conversation, event) => {
  // The schema of the kind imports that of its command, which no client checks.
  const seqs = event.data?.["seqs"];
  if (Array.isArray(seqs)) conversation.amend(event, seqs.filter(isRange), deleteMessage);
};

function isRange(value: unknown): value is Range {
  return rangeSchema.safeParse(value).success;
}
