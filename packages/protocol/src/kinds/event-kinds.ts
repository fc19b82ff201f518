import { erased } from "./erased.ts";
import type { EventKind } from "./event-kind.ts";
import { groupCreated } from "./group-created.ts";
import { groupUpdated } from "./group-updated.ts";
import { memberAdded } from "./member-added.ts";
import { memberRemoved } from "./member-removed.ts";
import { message } from "./message.ts";

/**
 * Every kind of event in a conversation's log, by its name on the wire. A reader skips unknown kinds; they take a
 * number all the same. A new kind is one file here, one in the engine (`kinds/`) and one reducer in the SDK: the
 * compiler asks for all three.
 */
export const eventKinds = {
  message,
  group_created: groupCreated,
  group_updated: groupUpdated,
  member_added: memberAdded,
  member_removed: memberRemoved,
  erased,
} as const satisfies Readonly<Record<string, EventKind>>;

/** The name of a kind that this version knows. */
export type EventType = keyof typeof eventKinds;

/** The stored number of each kind. */
export type EventCodes = Readonly<Record<string, number>>;

/** The numbers of this version's kinds. */
// In a function, so that a bundler may leave the table and its schemas out of a browser that needs none of them.
export const eventCodes: EventCodes = /* @__PURE__ */ (() =>
  Object.fromEntries(Object.entries(eventKinds).map(([type, { code }]) => [type, code])))();
