import type { EventType } from "@chat21/protocol";

/** How the kinds of events are stored. Permanent: the numbers stand in databases. */
export const eventTypeCodes = {
  message: 0,
  group_created: 1,
  group_updated: 2,
  member_added: 3,
  member_removed: 4,
  erased: 5,
} as const satisfies Record<EventType, number>;

const byCode: ReadonlyMap<number, EventType> = new Map(
  Object.entries(eventTypeCodes).map(([type, code]) => [code, type as EventType]),
);

/** The kind of a stored number. */
export function eventTypeOf(code: number): EventType {
  return byCode.get(code) ?? "erased";
}

/** A bit for each of the kinds, for `mask & (1 << type)` in SQL. */
export function eventTypeMask(types: readonly EventType[] | undefined): number {
  if (types === undefined) return -1;
  return types.reduce((mask, type) => mask | (1 << eventTypeCodes[type]), 0);
}
