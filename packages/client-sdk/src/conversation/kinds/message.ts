import type { Reducer } from "./reducer.ts";

/** Holds a message in its place. */
export const message: Reducer = (conversation, event) => conversation.append(event);
