import {
  byteLength,
  fitsRoutingKeys,
  isGroupId,
  isId,
  limits,
  looksLikeGroupId,
  systemUser,
  toWireId,
} from "@chat21/protocol";
import type { OriginalGroup } from "../conversations/source.ts";
import type { OriginalRefusal, Refused } from "../refusals.ts";
import type { OriginalDocument, OriginalTime } from "./copy.ts";
import { originalTime } from "./copy.ts";

/** A group that is taken over, and the parts of it that are not. */
export interface ReadOriginalGroup {
  readonly app: string;
  readonly id: string;
  readonly group: OriginalGroup;
  readonly leftOut: readonly Refused[];
  /** Its times, as they were given. */
  readonly times: readonly OriginalTime[];
}

/** Reads a document of `groups`. */
export function readOriginalGroup(document: OriginalDocument, now: number): ReadOriginalGroup | Refused {
  const { uid: id, appId: app, name } = document;
  if (typeof app !== "string" || app === "") return { refused: "app_missing" };
  if (!isId(app)) return { refused: "invalid_id", detail: "appId" };
  if (!isGroupId(id)) return { refused: "invalid_id", detail: "uid" };
  if (!looksLikeGroupId(id)) return { refused: "group_id_like_a_users", detail: id };
  const leftOut: Refused[] = [];
  const leaveOut = (refused: OriginalRefusal, detail: string) => leftOut.push({ refused, detail });
  const members = membersOf(document).flatMap((given) => {
    const user = toWireId(given);
    if (user !== null && fitsRoutingKeys(app, user, id)) return [user];
    leaveOut("group_member_invalid", given);
    return [];
  });
  const givenOwner = document["owner"];
  const owner = typeof givenOwner === "string" ? toWireId(givenOwner) : null;
  if (owner === null) leaveOut("group_owner_invalid", String(givenOwner));
  const attributes = objectText(document["attributes"]);
  const isTooLarge = attributes !== null && byteLength(attributes) > limits.payloadBytes;
  if (isTooLarge) leaveOut("group_attributes_too_large", "attributes");
  const [created, updated] = [
    originalTime(document["createdOn"], now),
    originalTime(document["updatedOn"], now),
  ];
  const createdOn = created.at ?? updated.at ?? now;
  const record = {
    name: typeof name === "string" && name !== "" ? name : id,
    owner: owner ?? systemUser,
    createdOn,
    updatedOn: updated.at ?? createdOn,
    attributes: isTooLarge ? null : attributes,
  };
  return { app, id, group: { record, members }, leftOut, times: [created, updated] };
}

/** In a cached copy that was written back, the group itself is among its members. */
function membersOf(document: OriginalDocument): string[] {
  const { uid, members } = document;
  if (typeof members !== "object" || members === null) return [];
  return Object.entries(members).flatMap(([user, value]) => (user !== uid && value ? [user] : []));
}

function objectText(value: unknown): string | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? JSON.stringify(value) : null;
}
