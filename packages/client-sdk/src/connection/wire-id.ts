import { toWireConversWith } from "@chat21/protocol";

/** The form on the wire of the id of a user or group that was checked before. See ADR-0016. */
export function wireIdOf(id: string): string {
  return toWireConversWith(id) ?? "";
}
