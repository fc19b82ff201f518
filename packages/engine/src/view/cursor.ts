import { ChatError, limits } from "@chat21/protocol";

/** The version of all cursors. A cursor of another version is refused, and its owner begins anew. */
const version = 1;

/** Whose cursor it is, and of which answer. */
export interface CursorOwner {
  readonly answer: "list" | "sync";
  readonly app: string;
  readonly user: string;
}

/**
 * The text of a cursor. It is signed with nothing: it only says where to go on, and every page is authorised anew. It is
 * bound to its owner so that a mix-up is found at once.
 */
export function writeCursor({ answer, app, user }: CursorOwner, place: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify([version, answer, app, user, ...place])).toString("base64url");
}

/** The place in a cursor. Throws `invalid_cursor` for a text that is not a cursor of this version for this owner. */
export function readCursor({ answer, app, user }: CursorOwner, text: string): readonly unknown[] {
  const [given, of, ofApp, ofUser, ...place] = parts(text);
  if (given !== version) throw new ChatError("invalid_cursor", "the cursor is not one of this version");
  if (of !== answer || ofApp !== app || ofUser !== user) {
    throw new ChatError("invalid_cursor", "the cursor belongs to another user, app or request");
  }
  return place;
}

function parts(text: string): readonly unknown[] {
  if (text.length > limits.cursorCharacters) throw new ChatError("invalid_cursor");
  try {
    const value: unknown = JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
    return Array.isArray(value) ? value : [];
  } catch (cause) {
    throw new ChatError("invalid_cursor", undefined, { cause });
  }
}
