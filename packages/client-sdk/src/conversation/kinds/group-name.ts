import type { Reducer } from "./reducer.ts";

/** A group that is created or changed may tell its name. */
export const groupName: Reducer = (conversation, { data }) => {
  const name = data?.["name"];
  if (typeof name === "string") conversation.setGroupName(name);
};
