import { ChatError, limits } from "@chat21/protocol";
import { shortHash } from "../short-hash.ts";

/** The version of all cursors. A cursor of another version is refused, and its owner begins anew. */
const version = "1";

/** The owner of a cursor, and the kind of its answer. */
export interface CursorOwner {
  readonly answer: "list" | "sync";
  readonly app: string;
  readonly user: string;
}

/**
 * The text of a cursor: its version, its owner in short, and a place, with dots between. It has no signature: it only
 * says where to go on, and every page is authorised anew. It names its owner so that a mix-up is found at once.
 */
export function writeCursor(owner: CursorOwner, place: string): string {
  return `${version}.${shortName(owner)}.${place}`;
}

/** The place in a cursor. Throws `invalid_cursor` for a text that is not a cursor of this version for this owner. */
export function readCursor(owner: CursorOwner, text: string): string {
  if (text.length > limits.cursorCharacters) throw new ChatError("invalid_cursor");
  const [, given, name, place] = /^(\d+)\.([0-9a-f]+)\.(.+)$/.exec(text) ?? [];
  if (place === undefined) throw new ChatError("invalid_cursor");
  if (given !== version) throw new ChatError("invalid_cursor", "the cursor is not one of this version");
  if (name !== shortName(owner)) {
    throw new ChatError("invalid_cursor", "the cursor belongs to another user, app or request");
  }
  return place;
}

function shortName({ answer, app, user }: CursorOwner): string {
  return shortHash(answer, app, user);
}
