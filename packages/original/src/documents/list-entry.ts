import { conversationIdOf, isGroupId, isId, looksLikeGroupId, toWireId } from "@chat21/protocol";
import type { OriginalListEntry } from "../conversations/source.ts";
import type { Refused } from "../refusals.ts";
import type { OriginalDocument } from "./copy.ts";
import { isOriginalGroup } from "./copy.ts";

/** One person's place in a conversation. */
export interface ReadOriginalListEntry {
  readonly app: string;
  readonly conversation: string;
  readonly kind: "direct" | "group";
  readonly user: string;
  readonly entry: OriginalListEntry;
}

/**
 * Reads a document of `conversations`. `null`: it is on no user's list, because it is a group's own, or has no app (a
 * patch of an unknown conversation leaves such a document behind).
 */
export function readOriginalListEntry(document: OriginalDocument): ReadOriginalListEntry | Refused | null {
  const { app_id: app, timelineOf, conversWith: given, is_new, archived } = document;
  if (typeof app !== "string" || app === "") return null;
  if (!isId(app)) return { refused: "invalid_id", detail: "app_id" };
  if (typeof given !== "string") return { refused: "invalid_id", detail: "conversWith" };
  const isGroup = isOriginalGroup(document, given);
  if (isGroup && timelineOf === given) return null;
  if (isGroup && !looksLikeGroupId(given)) return { refused: "group_id_like_a_users", detail: given };
  const user = typeof timelineOf === "string" ? toWireId(timelineOf) : null;
  if (user === null) return { refused: "invalid_id", detail: "timelineOf" };
  const conversWith = isGroup ? given : toWireId(given);
  if (conversWith === null || (isGroup && !isGroupId(conversWith)))
    return { refused: "invalid_id", detail: "conversWith" };
  return {
    app,
    conversation: conversationIdOf(user, conversWith, isGroup),
    kind: isGroup ? "group" : "direct",
    user,
    entry: { isNew: Boolean(is_new), isArchived: archived === true },
  };
}
