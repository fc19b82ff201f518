import type { Reducer } from "./reducer.ts";

/** A message is held in its place. */
export const message: Reducer = (conversation, event) => conversation.append(event);
