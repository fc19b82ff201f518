import type { EventType } from "@chat21/protocol";
import { erased } from "./erased.ts";
import { groupName } from "./group-name.ts";
import { membership } from "./membership.ts";
import { message } from "./message.ts";
import type { Reducer } from "./reducer.ts";

const reducers = {
  message,
  group_created: groupName,
  group_updated: groupName,
  member_added: membership,
  member_removed: membership,
  erased,
} as const satisfies Record<EventType, Reducer>;

/** The reducers by the names of their kinds, with further ones. A kind without one changes nothing. */
export function reducersWith(further: Readonly<Record<string, Reducer>>): ReadonlyMap<string, Reducer> {
  return new Map(Object.entries({ ...reducers, ...further }));
}
